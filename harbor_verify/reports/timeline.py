"""What happened while something was broken: history.jsonl, line by line, into what reports draw.

The lines' form is written down in harbor_verify/history/recorder.py. A file that breaks off (the run was killed) is
read as far as it goes; a line that is none is left out, and counted.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from harbor_verify.reports.errors import ReportError

SCHEMA = "harbor-verify/history/1"
OK, FAIL, INFO = "ok", "fail", "info"


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client asked for. Times are seconds since the history began."""

    client: str
    kind: str
    replica: str
    begin_s: float
    end_s: float | None = None
    """None: it never came to an end."""
    outcome: str = INFO
    """ok, fail (surely not done), info (nobody knows; also of what never ended)."""
    status: int | None = None
    error: str | None = None
    asked: bool = True
    """False: the suite could not even ask, which says nothing about Harbor."""
    wait_ms: float | None = None
    """The longest time without an answer."""

    @property
    def ok(self) -> bool:
        return self.outcome == OK


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the target; `subject` is a disruption or a workload."""

    subject: str
    name: str
    at_s: float
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Disruption:
    """When a fault was injected and, if it came to that, proven and healed. Seconds."""

    name: str
    inject_s: float
    proven_s: float | None = None
    healed_s: float | None = None
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """Operations in the order of their beginning, events in the order of their happening."""

    operations: tuple[Operation, ...] = ()
    events: tuple[Event, ...] = ()
    unreadable_count: int = 0
    """Lines that were left out: the file breaks off, or is damaged."""

    @property
    def end_s(self) -> float:
        times = [event.at_s for event in self.events]
        times += [op.begin_s if op.end_s is None else op.end_s for op in self.operations]
        return max(times, default=0.0)

    @property
    def disruptions(self) -> list[Disruption]:
        """In the order of injection."""
        found: list[Disruption] = []
        for event in self.events:
            if event.name == "inject":
                found.append(Disruption(event.subject, event.at_s, value=event.value))
            elif event.name in ("proven", "healed"):
                for index in range(len(found) - 1, -1, -1):
                    if found[index].name == event.subject:
                        found[index] = replace(found[index], **{f"{event.name}_s": event.at_s})
                        break
        return found

    @property
    def disrupted_s(self) -> tuple[float, float] | None:
        """From the first injection to the last heal (or the end); None when nothing was injected."""
        disruptions = self.disruptions
        if not disruptions:
            return None
        healed = [self.end_s if each.healed_s is None else each.healed_s for each in disruptions]
        return disruptions[0].inject_s, max(healed)


def read(lines: Iterable[str]) -> Timeline:
    """The timeline of a history's lines. Raises ReportError when the first is not that of a history."""
    operations: dict[int, Operation] = {}
    events: list[Event] = []
    unreadable = 0
    for number, text in enumerate(lines):
        try:
            line = json.loads(text)
            if number == 0:
                if line["schema"] != SCHEMA:
                    raise ReportError(f"the history is a {line['schema']}, not a {SCHEMA}")
            else:
                _take(line, operations, events)
        except (ValueError, KeyError, TypeError, AttributeError) as trouble:
            if number == 0:
                raise ReportError(f"the first line is not that of a history: {trouble!r}") from trouble
            unreadable += 1
    events.sort(key=lambda event: event.at_s)
    return Timeline(tuple(operations.values()), tuple(events), unreadable)


def _take(line: Mapping[str, Any], operations: dict[int, Operation], events: list[Event]) -> None:
    at_s = line["at_ns"] / 1e9
    value = line.get("value")
    value = value if isinstance(value, dict) else {}
    if line["type"] == "event":
        events.append(Event(line["subject"], line["name"], at_s, value))
    elif line["type"] == "invoke":
        operations[line["index"]] = Operation(line["client"], line["kind"], line["replica"], at_s)
    elif line["type"] in (OK, FAIL, INFO):
        begun = operations[line["index"]]
        operations[line["index"]] = replace(
            begun,
            end_s=at_s,
            outcome=line["type"],
            status=line.get("status"),
            error=line.get("error"),
            asked=line.get("asked", True),
            wait_ms=value.get("longest_wait_ms", (at_s - begun.begin_s) * 1000),
        )
    else:
        raise ValueError(f"type {line['type']}")
