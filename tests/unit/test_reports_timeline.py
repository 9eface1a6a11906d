"""Histories as reports read them: what a line says, what an outage is, what became of pods."""

import json

import pytest

from harbor_verify.checkers.outage import longest_outage
from harbor_verify.history import Recorder
from harbor_verify.history.model import Outcome
from harbor_verify.reports import outages, phases, pods, timeline
from harbor_verify.reports.errors import ReportError

HEAD = {"type": "history", "schema": timeline.SCHEMA, "run": "r", "began": "2026-11-25T07:00:00+00:00"}


def event(at_s, subject, name, **value):
    return {"type": "event", "at_ns": round(at_s * 1e9), "subject": subject, "name": name, "value": value}


def operation(index, client, begin_s, end_s=None, came_to="ok", **more):
    begun = {"type": "invoke", "index": index, "at_ns": round(begin_s * 1e9), "client": client}
    lines = [{**begun, "kind": "login", "replica": "front-door", "value": {}}]
    if end_s is not None:
        lines.append({"type": came_to, "index": index, "at_ns": round(end_s * 1e9), **more})
    return lines


def lines_of(*things):
    flat = [line for thing in things for line in (thing if isinstance(thing, list) else [thing])]
    return [json.dumps(line) for line in [HEAD, *flat]]


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


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes():
    lines = lines_of(operation(0, "c", 1, 2, status=200), operation(1, "c", 3))
    told = timeline.read([*lines, '{"type":"ok","index":1,"at_'])
    assert [op.outcome for op in told.operations] == ["ok", "info"]
    assert told.operations[0].wait_ms == 1000
    assert told.operations[1].end_s is None
    assert told.unreadable_count == 1


@pytest.mark.parametrize("first", ["", "{}", '{"schema": "other/1"}', "[]", "\x00"])
def test_what_is_no_history_is_refused(first):
    with pytest.raises(ReportError):
        timeline.read([first])


def test_pods_are_told_from_before_the_disruption_until_they_are_gone():
    old, new = pods.changed(timeline.read(lines_of(*POD_KILL)))
    assert (old.name, old.victim, old.endpoint_removed_s, old.gone_s) == ("web-aa", True, 2.2, 5)
    assert [(span.state, span.begin_s, span.end_s) for span in old.spans] == [
        ("ready", 0.0, 2.1),
        ("ending", 2.1, 5),
    ]
    assert (new.name, new.victim, new.ready_s, new.endpoint_added_s) == ("web-cc", False, 4, 4.1)
    assert [span.state for span in new.spans] == ["starting", "ready"]


def test_an_operation_belongs_to_the_phase_in_which_it_could_be_met():
    told = timeline.read(
        lines_of(
            operation(0, "c", 1, 1.5),
            operation(1, "c", 1.9, 2.5),
            operation(2, "c", 3, 3.1, "fail"),
            operation(3, "c", 6, 6.2),
            *POD_KILL,
        )
    )
    before, during, after = phases.by_kind(told.operations, told.disrupted_s)["login"]
    assert (before.count, during.count, during.not_ok_count, after.count) == (1, 1, 1, 1)
    assert during.median_ms == pytest.approx(600)


@pytest.mark.parametrize("pattern", ["ok", "ok fail ok", "fail ok info", "ok fail info ok fail ok", "fail"])
def test_outages_are_those_of_the_checker(tmp_path, pattern):
    file = tmp_path / "history.jsonl"
    with Recorder(file) as recorder:
        recorder.event("pod-kill web-0", "inject")
        for came_to in pattern.split():
            index = recorder.invoke(client="c", kind="login", replica="front-door")
            recorder.complete(index, Outcome(came_to))
        recorder.event("pod-kill web-0", "healed")
    judged = longest_outage(recorder.history(), clients=["c"], budget_ms=1e6)
    told = timeline.read(file.read_text().splitlines())
    found = outages.of_client("c", told.operations, end_s=told.end_s)
    assert [(round(each.outage_ms, 3), each.failed_count) for each in found] == [
        (round(each["outage_ms"], 3), each["failed"]) for each in judged.evidence["c"]["outages"]
    ]
