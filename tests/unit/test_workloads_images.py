"""After the heal each image is pulled back whole from all who keep it, and known to one of those who pass it on."""

import time

from harbor_verify.checkers.pushes import PUSH
from harbor_verify.clients.image import Image
from harbor_verify.clients.registry import Registry, by_token
from harbor_verify.history import Recorder
from harbor_verify.workloads import InTurn, perform
from harbor_verify.workloads.images import Connect, Push, Pushed, Upload, pull_back_everywhere
from harbor_verify.workloads.pace import PushAllowance
from tests.unit.fake_registry import FakeRegistry, Store, doors

KEEPERS, PASSERS = ("registry-0", "registry-1"), ("core-0", "core-1", "core-2")


def test_all_is_asked_of_keepers_and_one_of_those_who_pass_it_on_is_asked_in_turn():
    store = Store()
    with doors(*(FakeRegistry(store) for _ in range(1 + len(KEEPERS + PASSERS)))) as (front, *places):
        pushed = [Pushed("p/r", Image.make(bytes([n]), run_id="r")) for n in range(4)]
        for each in pushed:
            front.registry.push(each.image, "p/r", each.image.digest[-12:])
        connects = {
            name: Connect(lambda registry=place.registry: registry)
            for name, place in zip(KEEPERS + PASSERS, places, strict=True)
        }
        keepers, passers = ({name: connects[name] for name in names} for names in (KEEPERS, PASSERS))
        asked = pull_back_everywhere(Recorder(), keepers, passers, pushed, span_s=0)
    assert all(op.ok for op in asked)
    digests = [each.image.digest for each in pushed]
    found = {name: [op.value["digest"] for op in asked if op.replica == name] for name in connects}
    assert found == {
        "registry-0": digests,
        "registry-1": digests,
        "core-0": [digests[0], digests[3]],
        "core-1": [digests[1]],
        "core-2": [digests[2]],
    }


def test_images_are_pushed_beside_one_whose_configuration_they_have_and_that_is_pulled_back_once():
    server = FakeRegistry(Store())
    with doors(server) as (front,):
        place = Connect(lambda: front.registry)
        known = Pushed("p/r", Image.make(b"known", run_id="r"))
        front.registry.push(known.image, known.repository, "known")
        push = Push("front-door", place, known)
        assert all(perform(push, Recorder()).ok for _ in range(3))
        asked = pull_back_everywhere(Recorder(), {"registry-0": place}, {}, push.acknowledged, span_s=0)
    assert len({op.value["digest"] for op in asked if op.ok}) == 3
    blobs = [(method, "uploads" in path) for method, path, _, _ in server.seen if "/blobs/" in path]
    assert blobs.count(("PUT", True)) == 2 + 3
    assert blobs.count(("GET", False)) == 3 + 1


def test_who_does_one_kind_of_work_in_turn_is_called_by_it():
    connect = Connect(lambda: FakeRegistry(Store()).registry("front-door"))
    known = Pushed("p/r", Image.make(b"known", run_id="r"))
    small, large = (Push("front-door", connect, known) for _ in range(2))
    assert InTurn([small, large]).client == small.client == f"{PUSH}@front-door"


def test_an_image_of_a_manifest_alone_is_pulled_back_whole():
    with doors(FakeRegistry(Store())) as (front,):
        place = Connect(lambda: front.registry)
        known = Pushed("p/r", Image.make(b"known", run_id="r"))
        front.registry.push(known.image, known.repository, "known")
        push = Push("front-door", place, known, allowance=PushAllowance(0))
        assert all(perform(push, Recorder()).ok for _ in range(2))
        asked = pull_back_everywhere(Recorder(), {"registry-0": place}, {}, push.acknowledged, span_s=0)
    assert len({op.value["digest"] for op in asked if op.ok}) == 2


def test_an_upload_that_tries_whether_one_can_write_is_taken_back():
    server = FakeRegistry(Store())
    with doors(server) as (front,):
        assert perform(Upload("registry-0", Connect(lambda: front.registry), "p/r"), Recorder()).ok
    assert [method for method, path, _, _ in server.seen if "uploads" in path] == ["POST", "PATCH", "DELETE"]


def test_a_push_whose_last_request_fails_was_unanswered_since_the_one_before():
    def slow_token(scope):
        time.sleep(0.1)
        return "a token"

    with doors(FakeRegistry(Store(), "no-manifests")) as (front,):
        slow = Registry(front.registry.http, by_token(slow_token))
        known = Pushed("p/r", Image.make(b"known", run_id="r"))
        done = perform(Push("front-door", Connect(lambda: slow), known), Recorder())
    assert done.status == 400
    assert 100 < done.value["unanswered_ms"] < done.duration_ms / 2
    assert done.invoked_ns < done.unanswered_ns < done.completed_ns - 100e6


def test_a_push_whose_first_request_fails_had_no_good_answer():
    with doors(FakeRegistry(Store(), "silent")) as (front,):
        known = Pushed("p/r", Image.make(b"known", run_id="r"))
        push = Push("front-door", Connect(lambda: front.registry), known)
        first, second = perform(push, Recorder()), perform(push, Recorder())
    for done in (first, second):
        assert (done.status, done.unanswered_ns) == (503, done.invoked_ns)
