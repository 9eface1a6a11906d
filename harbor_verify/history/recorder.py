"""Writes a history while it happens: from any thread, in microseconds, one JSON line at once.

history.jsonl, one object a line:
    {"type": "history", "schema": "harbor-verify/history/1", "run", "began" (UTC)}         the first line
    {"type": "invoke", "index", "at_ns", "at" (UTC), "client", "kind", "replica", "uid"?, "value"}
    {"type": "ok"|"fail"|"info", "index", "at_ns", "at", "value"?, "status"?, "error"?, "asked"?: false}
    {"type": "event", "at_ns", "at", "subject", "name", "value"}
`at_ns` is on the monotonic clock, from the beginning of the history; `at` is the same moment for people.
"""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from harbor_verify.errors import HarnessError
from harbor_verify.history.model import Event, History, Operation, Outcome

SCHEMA = "harbor-verify/history/1"


def fingerprint(secret: str) -> str:
    """A short hash that tells cookies apart and cannot be used as one. For random secrets only, not passwords."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


class Recorder:
    """The history that is being made. Use as a context manager, or call `close`."""

    def __init__(self, file: Path | None = None, *, run: str = "") -> None:
        """Write to a new `file`, or to memory only. Raises OSError."""
        self.file = file
        self._lock = threading.Lock()
        self._operations: list[Operation] = []
        self._events: list[Event] = []
        # Line by line, so that a killed run leaves what it saw.
        self._stream = file.open("x", buffering=1, encoding="utf-8") if file else None
        self._began, self._began_ns = datetime.now(UTC), time.monotonic_ns()
        self._write({"type": "history", "schema": SCHEMA, "run": run, "began": self._began.isoformat()})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what comes later (a thread that hangs) is kept in memory only."""
        with self._lock:
            if self._stream:
                self._stream.close()
                self._stream = None

    def invoke(
        self, *, client: str, kind: str, replica: str, value: Mapping[str, Any] | None = None, uid: str = ""
    ) -> int:
        """An operation begins; returns the index to complete it with. `uid`: of the pod that `replica` is now."""
        with self._lock:
            begun = Operation(
                client, kind, replica, self._now(), value=value or {}, index=len(self._operations), uid=uid
            )
            self._operations.append(begun)
            self._write(
                {
                    "type": "invoke",
                    "index": begun.index,
                    "at_ns": begun.invoked_ns,
                    "at": self._utc(begun.invoked_ns),
                    "client": client,
                    "kind": kind,
                    "replica": replica,
                    **({"uid": uid} if uid else {}),
                    "value": begun.value,
                }
            )
            return begun.index

    def complete(
        self,
        index: int,
        outcome: Outcome,
        *,
        value: Mapping[str, Any] | None = None,
        status: int | None = None,
        error: str | None = None,
        asked: bool = True,
    ) -> Operation:
        """An operation ends. `value`, where given, adds to what was known when it began.

        Raises HarnessError when it had ended already: a history must not be rewritten.
        """
        with self._lock:
            begun = self._operations[index]
            if begun.outcome is not None:
                raise HarnessError(
                    f"operation {index} ({begun.client}) ended twice: {begun.outcome}, then {outcome}"
                )
            line: dict[str, Any] = {"type": outcome.value, "index": index, "at_ns": self._now()}
            line["at"] = self._utc(line["at_ns"])
            line |= {
                name: given
                for name, given in (("value", value), ("status", status), ("error", error))
                if given
            }
            if not asked:
                line["asked"] = False
            ended = replace(
                begun,
                completed_ns=line["at_ns"],
                outcome=outcome,
                value={**begun.value, **(value or {})},
                status=status,
                error=error,
                asked=asked,
            )
            self._operations[index] = ended
            self._write(line)
            return ended

    def event(self, subject: str, name: str, value: Mapping[str, Any] | None = None) -> Event:
        """Something happened to the target, now."""
        with self._lock:
            happened = Event(subject, name, self._now(), value or {})
            self._events.append(happened)
            self._write(
                {
                    "type": "event",
                    "at_ns": happened.at_ns,
                    "at": self._utc(happened.at_ns),
                    "subject": subject,
                    "name": name,
                    "value": happened.value,
                }
            )
            return happened

    def counts(self) -> tuple[int, int]:
        """(operations that ended, those of them that Harbor gave no good answer) so far."""
        with self._lock:
            ended = [op for op in self._operations if op.outcome is not None]
        return len(ended), sum(op.asked and not op.ok for op in ended)

    def history(self) -> History:
        """What happened so far."""
        with self._lock:
            return History(tuple(self._operations), tuple(self._events), self._now())

    def _now(self) -> int:
        # Read under the lock, so that the order in the history is the order of the times.
        return time.monotonic_ns() - self._began_ns

    def _utc(self, at_ns: int) -> str:
        # From the beginning, not from the wall clock of now, which may be set while we record.
        return (self._began + timedelta(microseconds=at_ns / 1000)).isoformat(timespec="milliseconds")

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._stream:
            self._stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
