"""A disruption that is not confirmed shows nothing, and recovery is measured from what the watch told."""

import pytest

from harbor_verify.checkers.fault_confirmed import fault_confirmed
from harbor_verify.checkers.judgement import Judgement, require
from harbor_verify.checkers.recovery import recovery
from harbor_verify.errors import CannotTell
from harbor_verify.history import History
from harbor_verify.history.replicas import Replicas
from harbor_verify.verdict import Failure, Offender
from tests.unit.handwritten import event, history

KILL = "pod-kill ui-0"


def pod(at_ms, name, uid, replica="ui-0"):
    return event(at_ms, "ui", name, uid=uid, pod=f"ui-{uid}", replica=replica)


def endpoint(at_ms, name, uid, replica="ui-0"):
    return event(at_ms, "ui", name, service="ui", uid=uid, replica=replica)


def watched(at_ms=0, desired=2):
    """A watch begins, and finds two Ready pods that the Service leads to."""
    return [
        event(at_ms, "ui", "watch-started", desired=desired, services=["ui"]),
        pod(at_ms, "pod-created", "old"),
        pod(at_ms, "pod-ready", "old"),
        pod(at_ms, "pod-created", "other", "ui-1"),
        pod(at_ms, "pod-ready", "other", "ui-1"),
        endpoint(at_ms, "endpoint-added", "old"),
        endpoint(at_ms, "endpoint-added", "other", "ui-1"),
    ]


def inject(at_ms=100, **value):
    return event(at_ms, KILL, "inject", workload="ui", replica="ui-0", pod="ui-old", uid="old", **value)


def graceful():
    """The old pod leaves the endpoints, a new one is Ready at 1100 ms and served from 1150, the old is gone at 5100."""
    return [
        *watched(),
        inject(),
        pod(110, "pod-deleting", "old"),
        pod(120, "pod-created", "new"),
        endpoint(130, "endpoint-removed", "old"),
        pod(1100, "pod-ready", "new"),
        endpoint(1150, "endpoint-added", "new"),
        pod(5100, "pod-deleted", "old"),
        event(5200, KILL, "proven"),
        event(5300, KILL, "healed"),
        event(5400, "ui", "watch-stopped"),
    ]


def without(events, *names):
    return [found for found in events if found.name not in names]


class TestFaultConfirmed:
    def test_a_pod_that_went_and_was_replaced_was_killed(self):
        judgement = fault_confirmed(history([], graceful()))
        assert judgement.valid is True
        assert judgement.evidence[KILL] == {"old_uid": "old", "new_uids": ["new"]}

    @pytest.mark.parametrize("missing", ["pod-deleted", "proven"])
    def test_without_one_of_its_proofs_it_is_unknown(self, missing):
        events = [e for e in graceful() if not (e.name == missing and e.at_ns > 100e6)]
        assert fault_confirmed(history([], events)).valid == "unknown"

    def test_another_pod_that_goes_proves_nothing(self):
        events = [*without(graceful(), "pod-deleted"), pod(4000, "pod-deleted", "other", "ui-1")]
        assert fault_confirmed(history([], events)).valid == "unknown"

    def test_a_pod_without_successor_was_killed_and_is_not_recovered_from(self):
        events = [e for e in graceful() if e.value.get("uid") != "new"]
        assert fault_confirmed(history([], events)).valid is True
        assert recovery(history([], events), budget_ms=2000).valid is False

    def test_a_disruption_of_another_kind_needs_its_own_proof_only(self):
        events = [event(1, "redis-failover", "inject"), event(2, "redis-failover", "proven")]
        assert fault_confirmed(history([], events)).valid is True
        assert fault_confirmed(history([], events[:1])).valid == "unknown"

    def test_nothing_disrupted_is_unknown(self):
        assert fault_confirmed(History()).valid == "unknown"


class TestRecovery:
    def judge(self, events, budget_ms=2000, end_ms=None):
        return recovery(history([], events, end_ms), budget_ms=budget_ms)

    def test_it_lasts_until_the_replicas_are_ready_and_the_service_leads_to_them(self):
        judgement = self.judge(graceful())
        assert judgement.valid is True
        assert judgement.measured == {"recovery_ms": 1050.0}
        assert judgement.evidence[KILL] == {
            "endpoint_removed_ms": 30.0,
            "pod_created_ms": 20.0,
            "pod_ready_ms": 1000.0,
            "pod_deleted_ms": 5000.0,
            "recovered_ms": 1050.0,
        }

    def test_longer_than_the_budget_is_false(self):
        judgement = self.judge(graceful(), budget_ms=1049)
        assert judgement.valid is False
        assert "1050 ms" in judgement.offenders[0].observed

    def test_a_service_that_still_leads_to_the_old_pod_is_not_recovered(self):
        judgement = self.judge(without(graceful(), "endpoint-removed"))
        assert judgement.valid is False
        assert "still leads to" in judgement.offenders[0].observed

    def test_a_pod_that_never_gets_ready_is_false_once_the_budget_has_passed(self):
        events = [e for e in graceful() if not (e.at_ns > 1000e6 and e.value.get("uid") == "new")]
        judgement = self.judge(events)
        assert judgement.valid is False
        assert "1 of 2 replicas Ready" in judgement.offenders[0].observed
        assert self.judge(events, budget_ms=60_000).valid == "unknown"

    def test_what_comes_after_the_watch_is_not_known(self):
        events = [e for e in graceful() if not (e.at_ns > 1000e6 and e.value.get("uid") == "new")]
        assert self.judge(events, budget_ms=60_000, end_ms=100_000).valid == "unknown"

    def test_a_replica_that_falls_over_again_has_not_recovered_yet(self):
        events = [*graceful()[:-1], pod(5000, "pod-not-ready", "new"), pod(5050, "pod-ready", "new")]
        assert self.judge(events, budget_ms=4900).valid is False
        assert self.judge(events, budget_ms=5000).measured == {"recovery_ms": 4950.0}

    def test_the_killed_pod_never_counts_as_ready_even_if_nobody_said_that_it_goes(self):
        events = [e for e in graceful() if e.at_ns <= 100e6] + [pod(150, "pod-ready", "other", "ui-1")]
        assert self.judge(events, budget_ms=300, end_ms=500).valid is False

    def test_a_workload_that_was_not_whole_before_is_unknown(self):
        events = [e for e in graceful() if e.at_ns or e.value.get("uid") != "other"]
        judgement = self.judge(events)
        assert judgement.valid == "unknown"
        assert "not every replica Ready before" in judgement.unknowns[0]

    def test_a_workload_that_was_not_watched_is_unknown(self):
        assert self.judge([inject()]).valid == "unknown"

    def test_events_that_came_late_make_no_verdict_of_being_late(self):
        events = [*graceful(), event(200, "ui", "watch-lost"), event(900, "ui", "watch-resumed")]
        assert self.judge(events, budget_ms=500).valid == "unknown"
        assert self.judge(events).valid is True

    def test_each_of_two_disruptions_is_measured_by_its_own_watch(self):
        later = [e for e in graceful() if e.name not in ("pod-ready", "endpoint-added") or not e.at_ns]
        shifted = [event(e.at_ns / 1e6 + 10_000, e.subject, e.name, **e.value) for e in later]
        judgement = self.judge([*graceful(), *shifted])
        assert judgement.valid is False
        assert len(judgement.offenders) == 1
        assert self.judge([*shifted]).valid is False

    def test_nothing_disrupted_is_unknown(self):
        assert self.judge([]).valid == "unknown"
        assert self.judge([event(1, "redis-failover", "inject")]).valid == "unknown"


class TestReplicas:
    def test_a_service_that_misses_a_ready_pod_is_named(self):
        state = Replicas()
        for found in without(watched(), "endpoint-added"):
            state.apply(found)
        assert state.lacks() == ["Service ui does not lead to ui-0, ui-1"]

    def test_a_pod_that_is_being_deleted_serves_no_more_though_it_is_ready(self):
        state = Replicas()
        for found in [*watched(), pod(1, "pod-deleting", "old")]:
            state.apply(found)
        assert [pod.uid for pod in state.serving.values()] == ["other"]
        assert state.lacks() == [
            "1 of 2 replicas Ready (ui-old (ui-0): being deleted, ui-other (ui-1): Ready)",
            "Service ui still leads to ui-0",
        ]

    def test_more_replicas_than_desired_are_no_fault(self):
        state = Replicas()
        for found in watched(desired=1):
            state.apply(found)
        assert state.lacks() == []


class TestRequire:
    GOOD = Judgement("good")
    BAD = Judgement("bad", offenders=(Offender("ui-0", "this", "that"),), unknowns=("half of it",))
    UNSURE = Judgement("unsure", unknowns=("too late",))

    def test_all_true_passes(self):
        require(self.GOOD)

    def test_false_outweighs_unknown_and_tells_both(self):
        with pytest.raises(Failure) as failure:
            require(self.GOOD, self.UNSURE, self.BAD)
        assert failure.value.offenders == self.BAD.offenders
        assert failure.value.__notes__ == [
            "could not be found out: unsure: too late",
            "could not be found out: bad: half of it",
        ]

    def test_unknown_is_an_error_not_a_pass(self):
        with pytest.raises(CannotTell, match="unsure: too late"):
            require(self.GOOD, self.UNSURE)

    def test_no_judgement_is_an_error(self):
        with pytest.raises(CannotTell):
            require()
