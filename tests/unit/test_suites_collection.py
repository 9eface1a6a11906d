"""Pushes while garbage is collected, on a Harbor in memory that does wrong what it is told to."""

import itertools
import subprocess
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from harbor_verify import collecting, running_replicas
from harbor_verify.audit import harbor as parts
from harbor_verify.clients.capabilities import Collection
from harbor_verify.clients.harbor import Credentials
from harbor_verify.clients.image import digest_of
from harbor_verify.errors import CannotTell, UnexpectedAnswer
from harbor_verify.settings import Settings
from suites.integrity.test_collection_under_pushes import (
    test_no_acknowledged_push_is_lost_to_a_garbage_collection as survive,
)
from tests.unit.running import examine, offenders_of

GONE = f"sha256:{'0' * 64}"
PUSHES = 40


class Harbor:
    """Front door, registry and collector in one. A collection lasts until it was asked of for some times."""

    def __init__(
        self, *, loses=False, refuses=(), status="Success", freed=(), never_collects=False, takes=()
    ):
        self.loses, self.refuses, self.status, self.freed = loses, set(refuses), status, freed
        self.takes, self.sent = set(takes), 0
        self.never_collects = never_collects
        self.blobs, self.manifests, self.ended_at = {}, {}, {}
        self.pushed, self.tried, self.ids, self.lock = 0, 0, itertools.count(1), threading.Lock()
        self.deleted = 0

    # as front door

    def close(self):
        pass

    def sign_in(self, credentials):
        return "session"

    def start_collection(self, credentials):
        with self.lock:
            number = next(self.ids)
            self.ended_at[number] = 0 if self.never_collects else 8
            return number

    def is_over(self, number):
        self.ended_at[number] -= 1
        return self.ended_at[number] <= 0

    def job_status(self, number, credentials):
        return self.status if self.is_over(number) else "Running"

    def collections(self, credentials):
        at = datetime(2026, 11, 28, tzinfo=UTC)
        return [Collection(number, self.status, at, False, 0) for number in self.ended_at]

    def job_log(self, number, administrator):
        told = "".join(f"… delete blob from storage: {each}\n" for each in self.freed)
        return told + (self.is_over(number) and self.status == "Success") * "success to run gc in job"

    def delete_tag(self, repository, tag, credentials):
        with self.lock:
            self.deleted += 1

    # as registry

    def ask_blob(self, method, repository, digest):
        return SimpleNamespace(status_code=200 if digest in self.blobs else 404)

    def push_blob(self, repository, content):
        with self.lock:
            self.sent += 1
            if self.sent in self.refuses:
                raise UnexpectedAnswer("PUT … → 404 in GC", status=404)
            self.blobs[digest_of(content)] = content

    def push_manifest(self, repository, tag, content):
        with self.lock:
            self.tried += 1
            if self.tried in self.takes:
                raise UnexpectedAnswer("PUT … → 404", status=404)
            self.pushed += 1
            self.manifests[digest_of(content)] = content

    def manifest(self, repository, digest):
        return self.manifests[digest], digest

    def blob(self, repository, digest):
        if self.loses or digest not in self.blobs:
            raise UnexpectedAnswer(f"GET …/blobs/{digest} → 404", status=404)
        return self.blobs[digest]


def look(monkeypatch, harbor, *, stored=(), root="/storage", said=None):
    """`said`: a list, to which is added what is told on the way."""

    def output_of(target, replica, argv):
        if stored is None:
            return "none\n"
        return "\n".join(number for number in argv[4:] if f"sha256:{number}" in stored)

    monkeypatch.setattr(parts, "root_of", lambda target, replica: root)
    monkeypatch.setattr(running_replicas, "output_of", output_of)
    monkeypatch.setattr(collecting, "wait_until", _at_once)
    target = SimpleNamespace(
        url="http://h",
        credentials=Credentials("admin", "x"),
        client=Credentials("verify-1", "x"),
        front_door=harbor,
        new_front_door=lambda: harbor,
        new_front_door_link=lambda name: harbor,
        profile=SimpleNamespace(api=lambda link: harbor),
        front_registry=lambda credentials, link=None: harbor,
        replicas=lambda role: [SimpleNamespace(object="pod registry-0")],
    )
    measured, told = {}, []
    examine(
        survive,
        target,
        settings=Settings(collection_pushes=PUSHES),
        project="p",
        measured=measured,
        harbors_own=told.append,
        tell=(said if said is not None else []).append,
    )
    return measured, told


def _at_once(what, look, **_):
    """Without waiting between two looks."""
    while True:
        try:
            return look()
        except collecting.NotYet:
            threading.Event().wait(0.001)


def test_pushes_that_all_survive_are_well_and_counted(monkeypatch):
    harbor = Harbor(freed=[GONE])
    measured, told = look(monkeypatch, harbor)
    assert measured["pushes_count"] == PUSHES
    assert measured["pushes_lost_count"] == measured["pushes_refused_count"] == 0
    assert measured["freed_blobs_count"] == 1
    assert measured["collections_count"] >= 3
    assert measured["pushes_during_collection_count"] > 0
    assert (harbor.deleted, told) == (PUSHES // 2, [])


def test_an_interruption_ends_the_pushes_too(monkeypatch):
    """One client of four waits for a whole collection before its first manifest; it sends that, and nothing more."""

    def interrupt(credentials):
        raise KeyboardInterrupt

    harbor = Harbor()
    harbor.start_collection = interrupt
    with pytest.raises(KeyboardInterrupt):
        look(monkeypatch, harbor)
    assert harbor.pushed <= PUSHES - PUSHES // 4 + 1


def test_images_that_lost_a_layer_are_named_up_to_some(monkeypatch):
    offenders = offenders_of(lambda: look(monkeypatch, Harbor(loses=True)))
    named = [each for each in offenders if each.object.startswith("image p/collected-")]
    assert named
    assert "→ 404" in named[0].observed


def test_what_was_freed_and_is_still_there_is_named(monkeypatch):
    (offender,) = offenders_of(lambda: look(monkeypatch, Harbor(freed=[GONE]), stored=[GONE]))
    assert (offender.object, offender.observed) == ("pod registry-0", f"1 are still there: {GONE}")


def test_what_came_back_may_be_there(monkeypatch):
    harbor = Harbor()

    def job_log(number, administrator):
        return "".join(f"delete blob from storage: {each}\n" for each in harbor.blobs)

    harbor.job_log = job_log
    look(monkeypatch, harbor, stored=harbor.blobs)


def test_in_an_object_store_nobody_looks_for_what_was_freed_and_that_is_told(monkeypatch):
    said = []
    measured, _ = look(monkeypatch, Harbor(freed=[GONE]), stored=[GONE], root=None, said=said)
    assert measured["freed_blobs_looked_for_count"] == 0
    assert said[-1].startswith("pod registry-0: no volume has the images")
    assert said[-1].endswith("the 1 blobs which the logs say were freed are gone was NOT verified")
    quiet = []
    look(monkeypatch, Harbor(), root=None, said=quiet)
    assert not any("NOT verified" in each for each in quiet)


def test_a_volume_without_any_blob_is_not_the_one_that_images_are_in(monkeypatch):
    with pytest.raises(CannotTell, match=r"has no folder /storage/docker/registry/v2/blobs/sha256"):
        look(monkeypatch, Harbor(freed=[GONE]), stored=None)


def test_the_script_in_the_container_prints_what_is_there(monkeypatch, tmp_path):
    here, gone = "ab" * 32, "cd" * 32
    for number in (here, "ef" * 32):
        folder = tmp_path / "docker/registry/v2/blobs/sha256" / number[:2] / number
        folder.mkdir(parents=True)
        (folder / "data").write_text("x")

    def output_of(target, replica, argv):
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

    monkeypatch.setattr(running_replicas, "output_of", output_of)
    replica = SimpleNamespace(object="pod registry-0")
    for root, found in ((tmp_path, [f"sha256:{here}"]), (tmp_path / "elsewhere", None)):
        monkeypatch.setattr(parts, "root_of", lambda target, replica, root=root: str(root))
        asked = [f"sha256:{here}", f"sha256:{gone}"]
        if found is None:
            with pytest.raises(CannotTell):
                collecting.still_there(None, replica, asked)
        else:
            assert collecting.still_there(None, replica, asked) == found


def test_a_push_that_is_refused_is_tried_again_and_told_as_harbors_own(monkeypatch):
    measured, (told,) = look(monkeypatch, Harbor(refuses=[7, 9]))
    assert (measured["pushes_refused_count"], measured["pushes_count"]) == (2, PUSHES)
    assert told.startswith("2 pushes were refused while garbage was collected")


def test_a_harbor_that_takes_no_push_at_all_is_wrong(monkeypatch):
    harbor = Harbor(takes=range(1, 1000), never_collects=True)
    offenders = offenders_of(lambda: look(monkeypatch, harbor))
    assert offenders[0].object == "front door http://h"


def test_a_manifest_whose_blobs_were_taken_meanwhile_is_wrong(monkeypatch):
    (offender,) = offenders_of(lambda: look(monkeypatch, Harbor(takes=[7])))
    assert offender.object == "front door http://h"
    assert offender.observed.startswith("1 manifests were refused, though what they name had been sent")


def test_a_collection_that_fails_is_named(monkeypatch):
    offenders = offenders_of(lambda: look(monkeypatch, Harbor(status="Error")))
    assert {each.observed for each in offenders} == {"Error"}


def test_without_a_push_during_a_collection_nothing_is_shown(monkeypatch):
    seen = collecting.Seen(acknowledged=["sha256:1"])
    monkeypatch.setattr(collecting, "push_and_collect", lambda *_, **__: seen)
    with pytest.raises(CannotTell, match="no push fell into"):
        look(monkeypatch, Harbor())
