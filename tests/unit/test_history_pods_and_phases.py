"""What became of pods, and how long answers took, from what a history says."""

import pytest

from harbor_verify.history import phases, pods
from tests.unit.handwritten import event as event_ms
from tests.unit.handwritten import history, op


def event(at_s, subject, name, **value):
    return event_ms(at_s * 1000, subject, name, **value)


POD_KILL = [
    event(1, "web", "watch-started", desired=2, services=["web"]),
    event(1, "web", "pod-created", uid="a", pod="web-aa", replica="web-0"),
    event(1, "web", "pod-ready", uid="a"),
    event(1, "web", "pod-created", uid="b", pod="web-bb", replica="web-1"),
    event(1, "web", "pod-ready", uid="b"),
    event(2, "pod-kill web-0", "inject", workload="web", uid="a"),
    event(2.1, "web", "pod-deleting", uid="a"),
    event(2.2, "web", "endpoint-removed", uid="a", service="web"),
    event(2.3, "web", "pod-created", uid="c", pod="web-cc", replica="web-0"),
    event(4, "web", "pod-ready", uid="c"),
    event(4.1, "web", "endpoint-added", uid="c", service="web"),
    event(5, "web", "pod-deleted", uid="a"),
    event(5.1, "pod-kill web-0", "proven"),
    event(5.2, "pod-kill web-0", "healed"),
]


def test_pods_are_told_from_before_the_disruption_until_they_are_gone():
    old, new = pods.changed(history([], POD_KILL))
    assert (old.name, old.victim, old.endpoint_removed_s, old.gone_s) == ("web-aa", True, 2.2, 5)
    assert [(span.state, span.begin_s, span.end_s) for span in old.spans] == [
        ("ready", 0.0, 2.1),
        ("ending", 2.1, 5),
    ]
    assert (new.name, new.victim, new.ready_s, new.endpoint_added_s) == ("web-cc", False, 4, 4.1)
    assert [span.state for span in new.spans] == ["starting", "ready"]


def test_an_operation_belongs_to_the_phase_in_which_it_could_be_met():
    operations = [op(1000, 1500), op(1900, 2500), op(3000, 3100, "fail"), op(6000, 6200)]
    made = history(operations, POD_KILL)
    before, during, after = phases.by_kind(made.operations, made.disrupted_s)["login"]
    assert (before.count, during.count, during.not_ok_count, after.count) == (1, 1, 1, 1)
    assert during.median_ms == pytest.approx(600)
    assert (during.p99_ms, during.slowest_ms) == (pytest.approx(600), pytest.approx(600))
