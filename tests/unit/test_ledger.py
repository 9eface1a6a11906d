"""What is written down before it is done, by whom, and what becomes of it when others write or answers are lost."""

import json

import pytest

from harbor_verify.errors import LeaseLost, RightMissing, TargetUnreachable
from harbor_verify.ledger import BROKEN, MADE, Ledger
from tests.unit.fake_objects import CORE, LEDGER, Objects, serving


class Lease:
    """Held, until `lost`; `taken`: lost, but not known before one asks."""

    lost = taken = ""

    def require_held(self):
        if self.lost:
            raise LeaseLost(self.lost)

    def require_mine(self):
        self.lost = self.lost or self.taken
        self.require_held()


@pytest.fixture
def objects():
    return Objects()


@pytest.fixture
def kubernetes(objects):
    with serving(objects) as kubernetes:
        yield kubernetes


@pytest.fixture
def lease():
    return Lease()


@pytest.fixture
def ledger(kubernetes, lease):
    return Ledger(kubernetes, "harbor", "r1", lease)


def written(objects):
    return {key: json.loads(line) for key, line in objects.there[LEDGER].get("data", {}).items()}


def test_each_entry_stands_there_before_the_next_line_of_code_runs(ledger, objects):
    entry = ledger.broken("Deployment", "core", replicas=3, scaled_to=1)
    (line,) = written(objects).values()
    assert line.pop("at")
    assert line == {"act": "broken", "kind": "Deployment", "name": "core", "replicas": 3, "scaled_to": 1}
    assert (entry.run, entry.key) == ("r1", "r1.0001")


def test_another_run_reads_the_same_newest_first(ledger, kubernetes, lease):
    ledger.made("project", "p")
    robot = ledger.amend(ledger.made("robot", "r", project="p"), id=7)
    ledger.broken("Node", "node-1", unschedulable=False)
    assert Ledger(kubernetes, "harbor", "r2", lease).read() == ledger.entries()
    assert [(e.act, e.kind) for e in ledger.entries()] == [
        (BROKEN, "Node"),
        (MADE, "robot"),
        (MADE, "project"),
    ]
    assert robot.more == {"project": "p", "id": 7}
    assert ledger.names("project") == {"p"}


def test_what_was_undone_is_struck_out_and_the_empty_ledger_goes(ledger, objects):
    one, other = ledger.made("project", "p"), ledger.made("user", "u")
    ledger.drop(one)
    assert [line["name"] for line in written(objects).values()] == ["u"]
    ledger.close()
    assert LEDGER in objects.there, "something still stands in it"
    ledger.drop(other)
    ledger.drop(other)
    ledger.close()
    ledger.close()
    assert LEDGER not in objects.there


def test_a_ledger_goes_on_with_what_an_earlier_run_left(ledger, kubernetes, lease, objects):
    ledger.made("project", "old")
    later = Ledger(kubernetes, "harbor", "r2", lease)
    later.made("project", "new")
    assert later.names("project") == {"old", "new"}
    assert len(written(objects)) == 2


def test_who_no_longer_has_the_lease_writes_nothing(ledger, lease, objects):
    ledger.made("project", "p")
    lease.lost = "somebody took it"
    with pytest.raises(LeaseLost, match="somebody took it"):
        ledger.made("user", "u")
    assert len(written(objects)) == 1


def test_who_slept_while_another_took_over_does_not_write_over_it(ledger, kubernetes, lease, objects):
    """The other has written since; that the Lease is lost this one learns only when it asks."""
    ledger.made("project", "p")
    Ledger(kubernetes, "harbor", "r2", Lease()).made("project", "other")
    lease.taken = "r2 has it now"
    with pytest.raises(LeaseLost, match="r2 has it now"):
        ledger.made("user", "u")
    assert {line["name"] for line in written(objects).values()} == {"p", "other"}


@pytest.mark.parametrize("first", [True, False])
def test_a_lost_answer_stops_the_act_and_nothing_after_it(ledger, objects, first):
    if not first:
        ledger.made("project", "p")
    lost = ("POST", f"{CORE}/configmaps") if first else ("PATCH", LEDGER)
    objects.lose = {lost}
    with pytest.raises(TargetUnreachable):
        ledger.made("user", "u")
    objects.lose = set()
    ledger.made("user", "v")
    names = {line["name"] for line in written(objects).values()}
    assert names >= {"u", "v"}, "what may have been written stays, to be looked for"
    assert ledger.names("user") == {"u", "v"}


def test_a_right_that_is_missing_is_named(ledger, objects):
    objects.refuse = {("POST", f"{CORE}/configmaps"): 403}
    with pytest.raises(RightMissing, match="write ConfigMap harbor/harbor-verify-ledger"):
        ledger.made("project", "p")
    assert ledger.entries() == []


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"act": "sold", "kind": "Node", "name": "n"}', '{"act": 1}']
)
def test_lines_that_somebody_has_edited_are_told_and_kept(ledger, objects, line):
    objects.put(LEDGER, {"data": {"r0.0001": line}})
    assert ledger.read() == []
    assert ledger.unreadable == ["r0.0001"]
    ledger.close()
    assert LEDGER in objects.there
