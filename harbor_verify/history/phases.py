"""How long answers took before, during and after a disruption."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harbor_verify.history.model import Operation

NAMES = ("before", "during", "after")


@dataclass(frozen=True)
class Latency:
    """Of the ok operations of one kind in one phase. Milliseconds; None where there was none."""

    count: int
    not_ok_count: int
    median_ms: float | None
    p95_ms: float | None
    slowest_ms: float | None
    p99_ms: float | None = None
    """None in what was judged by earlier versions, too."""


def by_kind(operations: Iterable[Operation], disrupted_s: tuple[float, float]) -> dict[str, list[Latency]]:
    """Before, during and after, by kind of operation. An operation belongs to the phase in which it began; one
    that began before and ended later was met by the disruption, and counts as during.
    """
    begin_s, end_s = disrupted_s
    kinds: dict[str, tuple[list[Operation], ...]] = {}
    for op in operations:
        phase = 0 if op.end_s is not None and op.end_s < begin_s else 1 if op.begin_s <= end_s else 2
        kinds.setdefault(op.kind, ([], [], []))[phase].append(op)
    return {kind: [_latency(ops) for ops in phases] for kind, phases in kinds.items()}


def _latency(operations: Sequence[Operation]) -> Latency:
    waits = sorted(op.waited_ms for op in operations if op.ok)
    if not waits:
        return Latency(0, len(operations), None, None, None)
    p95, p99 = (waits[min(len(waits) - 1, int(share * len(waits)))] for share in (0.95, 0.99))
    return Latency(len(waits), len(operations) - len(waits), statistics.median(waits), p95, waits[-1], p99)
