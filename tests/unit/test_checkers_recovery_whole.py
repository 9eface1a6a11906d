"""Recovery told whole, what it is told by, and how judgements and findings are settled together."""

import pytest

from harbor_verify.checkers.judgement import Judgement, require
from harbor_verify.checkers.recovery import recovery
from harbor_verify.errors import CannotTell
from harbor_verify.findings import Findings
from harbor_verify.history import CONFIRMING, Event
from harbor_verify.history.pulse import PULSE, Starved, starved
from harbor_verify.history.replicas import Pod, Replicas
from harbor_verify.verdict import Failure, Offender
from tests.unit.handwritten import disrupted, event, history

FAULT = [*disrupted(10, 100), event(100, "after the heal", CONFIRMING, span_s=0.01)]
NOTHING = history([], [])
OTHER = Offender("Pod h/other", "runs", "does not")


def test_what_a_workload_lacks_is_told_by_service_and_pod():
    replicas = Replicas()
    assert replicas.lacks() == []
    started = {"desired": 3, "services": ["web", "api"]}
    for name, value in [
        ("pod-ready", {"uid": "unknown"}),
        ("watch-started", started),
        ("pod-created", {"uid": "a", "pod": "x", "replica": "web-0"}),
        ("pod-created", {"uid": "b", "pod": "y", "replica": "web-1"}),
        ("pod-ready", {"uid": "a"}),
        ("pod-ready", {"uid": "b"}),
        ("endpoint-added", {"service": "web", "uid": "a"}),
        ("endpoint-added", {"service": "new", "uid": "a"}),
        ("endpoint-added", {"service": "new", "uid": "b"}),
        ("endpoint-added", {"service": "web", "uid": "gone"}),
        ("endpoint-added", {"service": "web", "uid": "gone-too"}),
        ("endpoint-removed", {"service": "not there", "uid": "a"}),
        ("pod-deleted", {"uid": "never seen"}),
    ]:
        replicas.apply(Event("web", name, 0, value))
    assert replicas.lacks() == [
        "2 of 3 replicas Ready (x (web-0): Ready, y (web-1): Ready)",
        "Service web does not lead to web-1",
        "Service web still leads to a pod that is gone, a pod that is gone",
        "Service api does not lead to web-0, web-1",
    ]
    replicas.apply(Event("web", "pod-not-ready", 0, {"uid": "a"}))
    replicas.apply(Event("web", "pod-deleting", 0, {"uid": "b"}))
    assert replicas.serving == {}
    replicas.apply(Event("web", "pod-deleted", 0, {"uid": "a"}))
    replicas.apply(Event("web", "pod-deleted", 0, {"uid": "b"}))
    assert replicas.lacks()[0] == "0 of 3 replicas Ready (no pod)"


def test_a_pulse_that_says_nothing_starves_nobody():
    assert starved(history([], [event(10, "machine", PULSE, ms=10, late_ms=0)]), 0, 10**9) == Starved()
    assert starved(history([], [event(10, "machine", PULSE, ms=0, late_ms=3)]), 0, 10**9) == Starved()
    late = history([], [event(10, "machine", PULSE, ms=10, late_ms=4)])
    assert starved(late, 5 * 10**6, 10**9) == Starved(late_ms=2.0)


def watched(*more, desired=1):
    """A workload web of one pod, which is Ready and led to; from the beginning."""
    pod = {"uid": "old", "pod": "web-x", "replica": "web-0"}
    events = [
        event(0, "web", "watch-started", desired=desired, services=["web"]),
        event(1, "web", "pod-created", **pod),
        event(2, "web", "pod-ready", **pod),
        event(3, "web", "endpoint-added", service="web", uid="old", replica="web-0"),
    ]
    return [*events, event(100, "kill", "inject", workload="web", uid="old"), *more]


NEW = {"uid": "new", "pod": "web-y", "replica": "web-1"}
REPLACED = [
    event(110, "web", "endpoint-removed", service="web", uid="old", replica="web-0"),
    event(120, "web", "pod-created", **NEW),
    event(130.1234567, "web", "pod-ready", **NEW),
    event(140, "web", "pod-deleted", uid="old"),
    event(150, "web", "endpoint-added", service="web", **NEW),
]
TOOK = {
    "endpoint_removed_ms": 10.0,
    "pod_created_ms": 20.0,
    "pod_ready_ms": 30.123,
    "pod_deleted_ms": 40.0,
    "recovered_ms": 50.0,
}


def test_the_steps_of_a_recovery_are_told_and_its_budget_is_met_to_the_millisecond():
    looked = history([], watched(*REPLACED))
    assert recovery(looked, budget_ms=50) == Judgement(
        "recovery", measured={"recovery_ms": 50.0}, evidence={"kill": TOOK}
    )
    late = Offender("web", "recovered within 49 ms of kill", "recovered after 50 ms")
    assert recovery(looked, budget_ms=49) == Judgement(
        "recovery", (late,), (), {"recovery_ms": 50.0}, {"kill": TOOK}
    )
    lost = [*REPLACED, event(115, "web", "watch-lost")]
    unknown = "kill: web recovered after 50 ms, but the watch was lost meanwhile"
    assert recovery(history([], watched(*lost)), budget_ms=49).unknowns == (unknown,)
    assert recovery(history([], watched(*lost)), budget_ms=50).valid is True


def test_one_more_that_an_autoscaler_asks_for_later_does_not_begin_a_recovery_anew():
    more = {"uid": "more", "pod": "web-z", "replica": "web-2"}
    later = [
        event(400, "web", "pod-created", **more),
        event(410, "web", "pod-ready", **more),
        event(420, "web", "endpoint-added", service="web", **more),
    ]
    took = recovery(history([], watched(*REPLACED, *later)), budget_ms=50)
    assert took.valid is True
    assert took.measured == {"recovery_ms": 50.0}
    # One that was led to and is no more is a lack, also where more are asked for than before.
    lost = event(500, "web", "endpoint-removed", service="web", **NEW)
    gone = event(510, "web", "endpoint-removed", service="web", **more)
    back = event(520, "web", "endpoint-added", service="web", **more)
    looked = history([], watched(*REPLACED, *later, lost, gone, back))
    assert recovery(looked, budget_ms=50).measured == {"recovery_ms": 420.0}


def test_what_has_not_recovered_is_told_with_what_it_lacks():
    lacks = "0 of 1 replicas Ready (web-x (web-0): Ready); Service web still leads to web-0"
    looked = history([], watched(), end_ms=600)
    late = Offender("web", "recovered within 499 ms of kill", f"not recovered after 500 ms: {lacks}")
    assert recovery(looked, budget_ms=499).offenders == (late,)
    assert recovery(looked, budget_ms=501) == Judgement(
        "recovery",
        unknowns=(f"kill: web not recovered after 500 ms: {lacks}; the history ends before the budget does",),
        evidence={"kill": dict.fromkeys(TOOK)},
    )


@pytest.mark.parametrize(
    "ends",
    [
        event(145, "web", "watch-started", desired=1, services=["web"]),
        event(145, "web", "watch-stopped"),
        event(145, "again", "inject", workload="web"),
    ],
)
def test_a_recovery_is_looked_at_until_the_watch_ends_or_the_workload_is_disrupted_again(ends):
    took = recovery(history([], watched(*REPLACED, ends)), budget_ms=40).evidence["kill"]
    assert took == {**TOOK, "recovered_ms": None}
    other = event(145, "other", "inject", workload="registry")
    assert recovery(history([], watched(*REPLACED, other)), budget_ms=50).evidence["kill"] == TOOK


def test_what_was_not_whole_before_shows_no_recovery():
    looked = history([], watched(*REPLACED, desired=2))
    before = "kill: web had not every replica Ready before: 1 of 2 replicas Ready (web-x (web-0): Ready)"
    assert recovery(looked, budget_ms=50) == Judgement("recovery", unknowns=(before,))
    unwatched = [event(100, "kill", "inject", workload="web", uid="old")]
    assert recovery(history([], unwatched), budget_ms=50).unknowns == ("kill: web was not watched",)


def test_a_pod_is_told_with_its_state():
    states = {(False, False): "not Ready", (True, False): "Ready", (True, True): "being deleted"}
    for (ready, deleting), state in states.items():
        assert str(Pod("u", "web-x", "web-0", ready, deleting)) == f"web-x (web-0): {state}"


def test_without_a_disrupted_workload_there_is_no_recovery():
    unknown = ("no workload was disrupted",)
    assert recovery(history([], disrupted(10, 100)), budget_ms=100) == Judgement("recovery", unknowns=unknown)


def test_judgements_are_required_together():
    wrong = Judgement("one", (OTHER,), ("could not see a",))
    also = Judgement("two", (Offender("b", "is", "is not"),), ("could not see c",))
    with pytest.raises(Failure) as failure:
        require(wrong, Judgement("three"), also)
    assert failure.value.offenders == (OTHER, Offender("b", "is", "is not"))
    assert str(failure.value) == f"{OTHER}\nb\n  expected: is\n  observed: is not"
    assert failure.value.__notes__ == [
        "could not be found out: one: could not see a",
        "could not be found out: two: could not see c",
    ]
    with pytest.raises(CannotTell) as cannot:
        require(Judgement("one", unknowns=("a",)), Judgement("two", unknowns=("b", "c")))
    assert str(cannot.value) == "one: a\ntwo: b\ntwo: c"
    with pytest.raises(CannotTell) as cannot:
        require()
    assert str(cannot.value) == "no checker judged the history"
    require(Judgement("one"))


def test_a_judgement_as_json_says_whether_it_is_valid():
    assert Judgement("one", (OTHER,), ("a",), {"x_ms": 1.0}, {"y": 2}).document() == {
        "checker": "one",
        "offenders": ({"object": "Pod h/other", "expected": "runs", "observed": "does not", "uids": ()},),
        "unknowns": ("a",),
        "measured": {"x_ms": 1.0},
        "evidence": {"y": 2},
        "flaws": (),
        "valid": False,
    }


def test_what_an_empty_collector_has_found_and_what_it_takes_over():
    findings, other = Findings(), Findings()
    with pytest.raises(CannotTell) as cannot:
        findings.settle()
    assert str(cannot.value) == "there was nothing to examine, and an empty set proves nothing"
    for each, name in ((findings, "a"), (other, "b")):
        with each.about(name, "is") as thing:
            thing.wrong("is not")
            thing.unknown("why")
    findings.take(other)
    assert findings.offenders == [Offender("a", "is", "is not"), Offender("b", "is", "is not")]
    assert findings.unknowns == ["a: why", "b: why"]
    assert findings.examined == 2
