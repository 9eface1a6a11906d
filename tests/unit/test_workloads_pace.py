"""How often clients ask follows from the outage that is allowed and how many they are; what they push is bounded."""

from types import SimpleNamespace

import pytest

from harbor_verify.clients.image import Image
from harbor_verify.errors import CannotTell
from harbor_verify.history import Recorder
from harbor_verify.settings import Settings
from harbor_verify.workloads import InTurn, Result, Work, perform
from harbor_verify.workloads.images import CONTENT_BYTES, Connect, Push, Pushed
from harbor_verify.workloads.pace import (
    PushAllowance,
    pace_s,
    push_share_bytes,
    rate_per_s,
    turns_between_logins,
)

MOST_PER_S = Settings().operations_per_s
FRONT_DOORS = 7
KNOWN = Pushed("p/r", Image.make(b"known", run_id="r"))


class Noted(Work):
    """Notes whose turn it was."""

    writes = False

    def __init__(self, kind, turns):
        self.kind, self.turns = kind, turns
        super().__init__("core-0")

    def do(self):
        self.turns.append(self.kind)
        return Result()


class Takes:
    """A registry that takes what is pushed."""

    def __init__(self):
        self.http, self.sizes = SimpleNamespace(longest_wait_s=0.0, ended_s=()), []

    def push(self, image, repository, tag, *, there=()):
        self.sizes.append(image.size_bytes)


@pytest.mark.parametrize("cores, registries", [(2, 2), (3, 3), (8, 8), (16, 16)])
@pytest.mark.parametrize("budget_ms", [1000, 2000, 15000, 30000])
def test_each_replica_is_met_twice_within_the_longest_outage_that_is_allowed(cores, registries, budget_ms):
    clients = FRONT_DOORS + cores + registries
    rate = rate_per_s(clients, budget_ms, MOST_PER_S)
    assert clients / rate <= budget_ms / 1000 / 2 + 1e-9


def test_eight_and_eight_could_not_be_judged_at_the_rate_that_did_for_three_and_three():
    with pytest.raises(
        CannotTell, match="23 clients see an outage of 1000 ms only with 46 operations a second"
    ):
        rate_per_s(FRONT_DOORS + 8 + 8, 1000, most_per_s=20)
    assert rate_per_s(FRONT_DOORS + 8 + 8, 1000, MOST_PER_S) == 46
    assert rate_per_s(FRONT_DOORS + 8 + 8, 1000, most_per_s=30) == 30, "once within the budget is enough"


def test_long_outages_are_looked_at_closely_too():
    assert pace_s(30000) == pace_s(2000) == 0.8
    assert pace_s(1000) == 0.5


@pytest.mark.parametrize("places", [2, 3, 8, 20])
def test_logins_are_one_kind_of_work_among_others_however_many_replicas_there_are(places):
    every = turns_between_logins(places, 4, 1000)
    assert places / pace_s(1000) / every <= 1
    assert every >= 4


def test_the_seldom_work_has_its_turn_first_and_then_one_in_so_many():
    turns = []
    works = [Noted("probe", turns), Noted("pull", turns)]
    client, recorder = InTurn(works, seldom=Noted("login", turns), every=4), Recorder()
    for _ in range(9):
        perform(client, recorder)
    assert turns == ["login", "probe", "pull", "probe", "login", "pull", "probe", "pull", "login"]
    assert [op.kind for op in recorder.history().operations] == turns


def test_what_is_pushed_stays_within_its_bound_and_each_image_is_new_until_then():
    most_bytes = 2**24
    allowance, registry, recorder = PushAllowance(most_bytes), Takes(), Recorder()
    connect = Connect(lambda: registry)
    large = Push("front-door", connect, KNOWN, size_bytes=2**17, allowance=allowance)
    for _ in range(200):
        assert perform(large, recorder).ok
    assert registry.sizes[0] >= 2**17
    assert all(size > 10_000 for size in registry.sizes), "more than one packet, to the end"
    assert sum(registry.sizes) == allowance.used_bytes <= most_bytes
    assert len({each.image.digest for each in large.acknowledged}) == 200


def test_once_no_content_may_be_pushed_any_more_each_image_is_a_new_manifest_of_what_is_there():
    size = Image.make(bytes(CONTENT_BYTES), run_id="r").size_bytes
    allowance, registry, recorder = PushAllowance(3 * size + 1500), Takes(), Recorder()
    push = Push("core-0", Connect(lambda: registry), KNOWN, allowance=allowance)
    done = [perform(push, recorder) for _ in range(9)]
    digests = [op.value["digest"] for op in done]
    assert all(op.ok for op in done)
    assert len(set(digests)) == len(push.acknowledged) == 9, "none again: that would bring back what was lost"
    last = push.acknowledged[-1].image
    assert (last.layer, last.configuration) == (KNOWN.image.layer, KNOWN.image.configuration)
    assert len(last.manifest) < 1024
    assert allowance.used_bytes <= allowance.most_bytes


def test_what_a_run_may_push_is_shared_out_among_what_it_breaks():
    selected = ["failover.web-pod-kill", "failover.node-loss", "sessions.known-to-every-replica"]
    assert push_share_bytes(512, selected, 1) == 256 * 2**20
    assert push_share_bytes(512, selected, 10) == 512 * 2**20 // 20
    assert push_share_bytes(512, [], 1) == 512 * 2**20
