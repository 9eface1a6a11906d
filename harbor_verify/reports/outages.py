"""How long each client went without a good answer; the definition is that of harbor_verify/checkers/outage.py."""

from collections.abc import Iterable
from dataclasses import dataclass

from harbor_verify.reports.timeline import Operation


@dataclass(frozen=True)
class Outage:
    """A run of operations without a good answer: from the beginning of its first to the first answer of the next ok.

    Where there is no ok before or after, `open` says so: the time is then a lower bound.
    """

    client: str
    begin_s: float
    end_s: float
    failed_count: int
    open: bool = False

    @property
    def outage_ms(self) -> float:
        return (self.end_s - self.begin_s) * 1000


def of_client(client: str, operations: Iterable[Operation], *, end_s: float) -> list[Outage]:
    """The outages in one client's operations, in order of time; `end_s`: when the history ends."""
    found: list[Outage] = []
    last_ok: Operation | None = None
    run: list[Operation] = []
    ordered = sorted(operations, key=lambda op: (op.end_s is None, op.end_s or 0, op.begin_s))
    for op in ordered:
        if not op.ok:
            run.append(op)
            continue
        if run:
            found.append(_outage(client, run, last_ok, op, end_s))
        last_ok, run = op, []
    if run:
        found.append(_outage(client, run, last_ok, None, end_s))
    return found


def _outage(
    client: str, run: list[Operation], before: Operation | None, after: Operation | None, end_s: float
) -> Outage:
    asked_s = min(op.begin_s for op in run)
    begin_s = asked_s if before is None or before.end_s is None else max(asked_s, before.end_s)
    if after is None:
        stop_s = max(end_s if op.end_s is None else op.end_s for op in run)
    else:
        stop_s = after.begin_s + after.wait_ms / 1000
    return Outage(client, begin_s, stop_s, len(run), before is None or after is None)
