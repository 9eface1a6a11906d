"""Writing through the API at one place, and reading it back at others: a set of values that only grows."""

import secrets
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count, cycle
from typing import Any

from harbor_verify.checkers.stale_reads import STALE_READ, UNREAD
from harbor_verify.checkers.writes import READ, VALUES_MISSING, WRITE
from harbor_verify.clients.harbor import Credentials, Harbor, Project
from harbor_verify.errors import AnswerError, TargetUnreachable, UnexpectedAnswer
from harbor_verify.history import LONGEST_WAIT_MS, Operation, Outcome, Recorder
from harbor_verify.side_by_side import side_by_side
from harbor_verify.workloads.confirming import ask_until_known
from harbor_verify.workloads.work import Result, Work

ALREADY_THERE = "AlreadyThere"
"""Error of a write whose value, which nobody else writes, was there already: somebody on the way has asked twice."""
_CONFLICT = 409


class ValueWrite(Work):
    """Writes one value after the other that nobody has written before, at one place; each that is acknowledged is read
    back at another, each in turn.
    """

    kind = WRITE
    writes = True

    def __init__(
        self,
        writer: Harbor,
        readers: Sequence[Harbor],
        project: Project,
        credentials: Credentials,
        *,
        client: str | None = None,
    ) -> None:
        """`writer` and `readers` are for this work alone: a thread of its own uses them."""
        super().__init__(writer.name, client=client, uid=writer.uid)
        self.project, self.mark = project, secrets.token_hex(4)
        self.acknowledged: list[str] = []
        self._writer, self.reads_as = writer, credentials
        self._readers, self._reader = cycle(readers), readers[0]
        self._numbers, self._value = count(), ""

    def begin(self) -> Mapping[str, Any]:
        self._value = f"{self.mark}{next(self._numbers):04x}"
        self._reader = next(self._readers)
        about = {"project": self.project.name, "value": self._value, "reader": self._reader.name}
        return about | ({"reader_uid": self._reader.uid} if self._reader.uid else {})

    def do(self) -> Result:
        begun_s = time.monotonic()
        try:
            self._writer.add_value(self.project, self._value, self.reads_as)
        except UnexpectedAnswer as refusal:
            if refusal.status != _CONFLICT:
                raise
            return Result(Outcome.INFO, status=_CONFLICT, error=ALREADY_THERE)
        self.acknowledged.append(self._value)
        # How long the reader takes, and that it does not answer, is its own client's to tell.
        told = {"acknowledged": True, LONGEST_WAIT_MS: round((time.monotonic() - begun_s) * 1000, 3)}
        try:
            values = self._reader.values(self.project, self.mark, self.reads_as)
        except (AnswerError, TargetUnreachable) as error:
            return Result(value={**told, UNREAD: type(error).__name__}, status=201)
        if self._value not in values:
            return Result(Outcome.FAIL, value=told, status=200, error=STALE_READ)
        return Result(value=told, status=200)


def erase(harbors: Sequence[Harbor], written: ValueWrite, credentials: Credentials) -> None:
    """Take away what was written, by way of several connections side by side. Raises AnswerError."""
    ids = list(harbors[0].values(written.project, written.mark, credentials).values())
    side_by_side(
        [
            [partial(harbor.remove_value, value_id, credentials) for value_id in ids[number :: len(harbors)]]
            for number, harbor in enumerate(harbors)
        ]
    )


class _Read(Work):
    kind = READ
    writes = False

    def __init__(self, harbor: Harbor, written: ValueWrite, credentials: Credentials) -> None:
        super().__init__(harbor.name, client=f"{READ}@{harbor.name}", uid=harbor.uid)
        self._harbor, self._written, self._credentials = harbor, written, credentials

    def begin(self) -> Mapping[str, Any]:
        return {"project": self._written.project.name}

    def do(self) -> Result:
        values = self._harbor.values(self._written.project, self._written.mark, self._credentials)
        missing = [value for value in self._written.acknowledged if value not in values]
        told = {"values": sorted(values), "missing": missing}
        if missing:
            return Result(Outcome.FAIL, status=200, error=VALUES_MISSING, value=told)
        return Result(status=200, value=told)


def read_everywhere(
    recorder: Recorder,
    harbors: Sequence[Harbor],
    written: ValueWrite,
    credentials: Credentials,
    *,
    span_s: float,
) -> list[Operation]:
    """After the heal: read what was written at each of `harbors`, until all is there, for `span_s` seconds at most.

    Returns the last operation of each; `no_write_lost` judges the history.
    """
    lanes = [[_Read(harbor, written, credentials)] for harbor in harbors]
    return ask_until_known(recorder, lanes, span_s=span_s)
