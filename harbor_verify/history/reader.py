"""Reads history.jsonl back; its form is in harbor_verify/history/recorder.py."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from harbor_verify.errors import NotAHistory
from harbor_verify.history.model import Event, History, Operation, Outcome
from harbor_verify.history.recorder import SCHEMA


def read(file: Path) -> History:
    """The history in a file. A line that is none is left out, and counted: the run may have been killed.

    Raises NotAHistory when the first line is not that of a history, OSError.
    """
    operations: dict[int, Operation] = {}
    events: list[Event] = []
    unreadable = 0
    with file.open(encoding="utf-8", errors="replace") as lines:
        _require_head(file, lines.readline())
        for text in lines:
            try:
                _take(json.loads(text), operations, events)
            except (ValueError, KeyError, TypeError, AttributeError):
                unreadable += 1
    events.sort(key=lambda event: event.at_ns)
    return History(tuple(operations.values()), tuple(events), unreadable=unreadable)


def _require_head(file: Path, text: str) -> None:
    try:
        schema = json.loads(text)["schema"]
    except (ValueError, KeyError, TypeError) as malformed:
        raise NotAHistory(f"{file}: the first line is not that of a history: {malformed!r}") from malformed
    if schema != SCHEMA:
        raise NotAHistory(f"{file} is a {schema}, not a {SCHEMA}")


def _take(line: Mapping[str, Any], operations: dict[int, Operation], events: list[Event]) -> None:
    value = line.get("value")
    value = value if isinstance(value, dict) else {}
    at_ns = int(line["at_ns"])
    if line["type"] == "event":
        events.append(Event(line["subject"], line["name"], at_ns, value))
    elif line["type"] == "invoke":
        operations[line["index"]] = Operation(
            line["client"],
            line["kind"],
            line["replica"],
            at_ns,
            value=value,
            index=line["index"],
            uid=line.get("uid", ""),
        )
    else:
        begun = operations[line["index"]]
        operations[line["index"]] = replace(
            begun,
            completed_ns=at_ns,
            outcome=Outcome(line["type"]),
            value={**begun.value, **value},
            status=line.get("status"),
            error=line.get("error"),
            asked=line.get("asked", True),
        )
