"""Reads history.jsonl back; its form is in harbor_verify/history/recorder.py."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from harbor_verify.errors import HarnessError
from harbor_verify.history.model import Event, History, Operation, Outcome
from harbor_verify.history.recorder import SCHEMA


def read(file: Path) -> History:
    """The history in a file; a last line that a killed run did not finish is left out.

    Raises HarnessError for anything else that is not a history, OSError.
    """
    whole, _, cut_off = file.read_text(encoding="utf-8").rpartition("\n")
    operations: dict[int, Operation] = {}
    events: list[Event] = []
    for number, text in enumerate(whole.splitlines(), start=1):
        try:
            line = json.loads(text)
            _take(line, operations, events, first=number == 1)
        except (ValueError, KeyError, TypeError) as wrong:
            raise HarnessError(f"{file}:{number} is no line of a history: {wrong!r}") from wrong
    if not whole:
        raise HarnessError(f"{file} is no history: it has no line" + (" that is whole" if cut_off else ""))
    return History(tuple(operations.values()), tuple(events))


def _take(
    line: dict[str, Any], operations: dict[int, Operation], events: list[Event], *, first: bool
) -> None:
    if first:
        if line["schema"] != SCHEMA:
            raise ValueError(f"schema {line['schema']}, not {SCHEMA}")
    elif line["type"] == "event":
        events.append(Event(line["subject"], line["name"], line["at_ns"], line["value"]))
    elif line["type"] == "invoke":
        operations[line["index"]] = Operation(
            line["client"],
            line["kind"],
            line["replica"],
            line["at_ns"],
            value=line["value"],
            index=line["index"],
        )
    else:
        begun = operations[line["index"]]
        operations[line["index"]] = replace(
            begun,
            completed_ns=line["at_ns"],
            outcome=Outcome(line["type"]),
            value={**begun.value, **line.get("value", {})},
            status=line.get("status"),
            error=line.get("error"),
            asked=line.get("asked", True),
        )
