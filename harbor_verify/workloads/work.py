"""One kind of operation at one place, and how doing it once becomes a line of the history."""

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from typing import Any

from harbor_verify.errors import AnswerError, NoAnswer, TargetUnreachable, UnexpectedAnswer
from harbor_verify.history import UNANSWERED_MS, Operation, Outcome, Recorder


@dataclass(frozen=True)
class Result:
    """How an operation ended. `error` is a class name, `value` is for the history: no secret in either."""

    outcome: Outcome = Outcome.OK
    value: Mapping[str, Any] = field(default_factory=dict)
    status: int | None = None
    error: str | None = None
    asked: bool = True


class Work(ABC):
    """An operation that one client does again and again at one place (`replica`: web-0, front-door)."""

    kind: str
    writes: bool
    """Whether it may change something, so that a lost answer leaves open whether it did."""

    def __init__(self, replica: str, *, client: str | None = None, uid: str = "") -> None:
        """`client`: the name in the history, where several do the same thing at one place; `uid`: of the replica's pod,
        where the place is one.
        """
        self.replica, self.uid = replica, uid
        self.client = client or f"{self.kind}@{replica}"

    def begin(self) -> Mapping[str, Any]:
        """Choose what the next operation is about; this is in the history even if the operation never ends."""
        return {}

    @abstractmethod
    def do(self) -> Result:
        """Do it once, and never again by itself. Raises AnswerError, TargetUnreachable; anything else is a bug."""

    def answered_s(self) -> float | None:
        """Of an operation of several requests that failed: when it had its last good answer, or earlier (monotonic
        clock); None: it had none, or is one request.
        """
        return None


class InTurn(Work):
    """One client that does several works at one place, one after the other, again and again.

    Its name is that of the place, or of the first of them where all are of one kind.
    """

    def __init__(self, works: Sequence[Work], *, seldom: Work | None = None, every: int = 0) -> None:
        """All are at the same place; `seldom` has one of `every` turns, the first of them, and the others the rest."""
        self.works = (*works, *([seldom] if seldom else []))
        are_alike = len({work.kind for work in self.works}) == 1
        client = works[0].client if are_alike else works[0].replica
        super().__init__(works[0].replica, client=client, uid=works[0].uid)
        self._turn, self._number = cycle(works), count()
        self._seldom, self._every = seldom, every
        self._current = works[0]

    @property
    def kind(self) -> str:  # type: ignore[override]  # that of whichever work it does now
        return self._current.kind

    @property
    def writes(self) -> bool:  # type: ignore[override]
        return self._current.writes

    def begin(self) -> Mapping[str, Any]:
        is_seldoms = self._seldom and next(self._number) % self._every == 0
        self._current = self._seldom if self._seldom and is_seldoms else next(self._turn)
        return self._current.begin()

    def do(self) -> Result:
        return self._current.do()

    def answered_s(self) -> float | None:
        return self._current.answered_s()


def perform(work: Work, recorder: Recorder) -> Operation:
    """Do one operation and record it, whatever comes of it.

    An AnswerError is a result, and so is TargetUnreachable (we could not ask). Anything else is a bug in the suite:
    it is recorded as info, and raised.
    """
    about = work.begin()
    index = recorder.invoke(
        client=work.client, kind=work.kind, replica=work.replica, value=about, uid=work.uid
    )
    try:
        result = work.do()
    except (AnswerError, TargetUnreachable) as error:
        result = classify(error, writes=work.writes)
        if (answered_s := work.answered_s()) is not None:
            waited_ms = round((time.monotonic() - answered_s) * 1000, 3)
            result = replace(result, value={**result.value, UNANSWERED_MS: waited_ms})
    except BaseException as bug:
        recorder.complete(index, Outcome.INFO, error=type(bug).__name__, asked=False)
        raise
    return recorder.complete(
        index,
        result.outcome,
        value=result.value,
        status=result.status,
        error=result.error,
        asked=result.asked,
    )


def classify(error: AnswerError | TargetUnreachable, *, writes: bool) -> Result:
    """What an exception says about an operation.

    A read has no effect, so it failed. A write surely failed when it did not reach Harbor, or was refused (4xx);
    without an answer, or after a 5xx, nobody knows: info. Where the way to Harbor was closed, or this machine could not
    find out its address, nothing was asked.
    """
    error_name = type(error).__name__
    status = error.status if isinstance(error, UnexpectedAnswer) else None
    if isinstance(error, TargetUnreachable):
        return Result(Outcome.INFO if writes else Outcome.FAIL, error=error_name, asked=False)
    refused = status is not None and 400 <= status < 500
    unsent = isinstance(error, NoAnswer) and not error.sent
    sure = not writes or refused or unsent
    about = error.about if isinstance(error, NoAnswer) else {}
    asked = about.get("cause") != socket.gaierror.__name__
    return Result(
        Outcome.FAIL if sure else Outcome.INFO, value=about, status=status, error=error_name, asked=asked
    )
