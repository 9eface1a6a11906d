"""How long a client went without a good answer.

Operations of a client are taken in the order of their ends (those without an end last). An outage is a maximal run of
operations that are not ok (fail, info, never ended), and lasts from the beginning of its first to the first answer of
the first ok after it: the time in which the client got no good answer although it asked. Of a first that takes several
requests what counts is the time since its last good answer, and of one that was under way when something was broken
the time since then. Harbor's own outage may have begun an interval of the client's before that, and ended one before
the ok.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from harbor_verify.history.model import Operation


@dataclass(frozen=True)
class Outage:
    """A run of operations without a good answer. Times are those of the history.

    It lasts from `from_ns` to `to_ns`: from the beginning of the first of the run (not before the end of the last ok
    before, nor before the injection that it was under way at) to the first answer of the first ok after; where there is
    none, to the last one's end (one that has none: to the history's). `begin_ns` is the end of that last ok before,
    `end_ns` the first answer of the first ok after; None if there was none.
    `at_least_ms` is from the beginning of the first that Harbor failed to the end of the last such; `starved_ms`, for
    how long after that the machine that asked was starved, and may have been late to ask for the good answer.
    """

    begin_ns: int | None
    end_ns: int | None
    from_ns: int
    to_ns: int
    at_least_ms: float
    failed: int
    unasked: int
    starved_ms: float = 0.0

    @property
    def outage_ms(self) -> float:
        return (self.to_ns - self.from_ns) / 1e6

    @property
    def sure_ms(self) -> float:
        """What of it is Harbor's for sure: at least what it failed, where the suite could not ask meanwhile."""
        return self.at_least_ms if self.unasked else self.outage_ms - self.starved_ms

    @property
    def begins_or_ends_unseen(self) -> bool:
        """Whether the history shows a part of it only; it may have been longer."""
        return self.begin_ns is None or self.end_ns is None


def outages_of(
    operations: Collection[Operation],
    *,
    end_ns: int,
    injected_ns: Collection[int] = (),
    starved_ms: Callable[[int, int], float] = lambda begin_ns, end_ns: 0.0,
) -> list[Outage]:
    """The outages in one client's operations, in order of time.

    `end_ns`: when the history ends; `injected_ns`: when things were broken; `starved_ms`: for how long the machine that
    asked was starved between two times.
    """

    def ended_ns(op: Operation) -> int:
        return end_ns if op.completed_ns is None else op.completed_ns

    outages: list[Outage] = []
    last_ok_ns: int | None = None
    run: list[Operation] = []
    for op in sorted(operations, key=lambda op: (op.completed_ns is None, ended_ns(op), op.invoked_ns)):
        if not op.ok:
            run.append(op)
            continue
        if run:
            outages.append(_outage(run, last_ok_ns, op, ended_ns, injected_ns, starved_ms))
        last_ok_ns, run = op.completed_ns, []
    if run:
        outages.append(_outage(run, last_ok_ns, None, ended_ns, injected_ns, starved_ms))
    return outages


def _outage(
    run: list[Operation],
    begin_ns: int | None,
    after: Operation | None,
    ended_ns: Callable[[Operation], int],
    injected_ns: Collection[int],
    starved_ms: Callable[[int, int], float],
) -> Outage:
    asked = [op for op in run if op.asked]
    # Of an operation of several requests the first answer counts, which came within its longest wait.
    stop_ns = after.invoked_ns + round(after.waited_ms * 1e6) if after else None
    # One that was asked long before, and beside which others were answered, was no outage then.
    first = min(run, key=lambda op: op.unanswered_ns)
    under_way = [at_ns for at_ns in injected_ns if first.unanswered_ns <= at_ns <= ended_ns(first)]
    from_ns = max(first.unanswered_ns, begin_ns or 0, *under_way[:1])
    last_ns = max(map(ended_ns, run))
    to_ns = last_ns if stop_ns is None else stop_ns
    sure_ns = max(map(ended_ns, asked)) - min(op.unanswered_ns for op in asked) if asked else 0
    return Outage(
        begin_ns,
        stop_ns,
        from_ns,
        to_ns,
        sure_ns / 1e6,
        len(asked),
        len(run) - len(asked),
        starved_ms(last_ns, to_ns) if to_ns > last_ns else 0.0,
    )
