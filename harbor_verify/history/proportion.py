"""How much of what a client asked was answered well, beside how long its longest outage was.

Any ok ends an outage: of a Service that leads every third request to a pod that is gone, each outage is short, however
long that goes on. So bad answers (fail, info, never ended) are also looked at together.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from harbor_verify.history.model import Operation
from harbor_verify.history.outages import Outage

WINDOW_MS = 10_000.0
"""Bad answers are counted in any window of this length; two that are farther apart belong to different troubles."""
_LEAST_BAD = 2
"""Beside the outage that is allowed: one bad answer in a window is no flapping, however few answers the window has."""


@dataclass(frozen=True)
class Proportion:
    """Of one client, from the first injection on. Milliseconds; `last_bad_ms` is None where no answer was bad.

    `worst_percent`: the share of bad answers in the worst window of WINDOW_MS.
    `flapping_percent`: the same without the outage that is allowed: without the answers of the worst stretch of that
    length; 0 where fewer than two bad ones are left.
    `bad_time_ms`: the outages together. `disturbed_ms`: the longest time from a bad answer to a later one in which no
    WINDOW_MS passed without one. `last_bad_ms`: from the injection to the end of the last bad answer.
    """

    answers_count: int
    bad_count: int
    worst_percent: float
    flapping_percent: float
    bad_time_ms: float
    disturbed_ms: float
    last_bad_ms: float | None


@dataclass(frozen=True)
class _Answer:
    """An answer, or what was to be one: when it came, and whether it was good."""

    at_ms: float
    good: bool


def proportion(
    operations: Collection[Operation],
    outages: Sequence[Outage],
    *,
    injected_ns: int,
    end_ns: int,
    allowed_ms: float,
    mending_ns: Collection[int],
    unasked_is_bad: bool,
) -> Proportion:
    """Of one client's operations since the injection, and of the outages in them.

    `allowed_ms`: how long one outage may last. `mending_ns`: when what was broken began to be taken back: what is bad
    from then on is another trouble. `end_ns`: when the history ends; an operation that never ended was bad until then.
    What could not be asked says nothing about Harbor: it is left out, or, with `unasked_is_bad`, taken for bad: what
    may have been at worst.
    """

    def ended_ns(op: Operation) -> int:
        return end_ns if op.completed_ns is None else op.completed_ns

    asked = sorted((op for op in operations if op.asked or unasked_is_bad), key=ended_ns)
    bad = [op for op in asked if not op.ok]
    answers = [_Answer(ended_ns(op) / 1e6, op.ok) for op in asked]
    windows = _windows(answers, injected_ns / 1e6, end_ns / 1e6)
    spans_ms = [(max(op.unanswered_ns, injected_ns) / 1e6, ended_ns(op) / 1e6) for op in bad]
    bad_time_ms = sum(outage.outage_ms if unasked_is_bad else outage.sure_ms for outage in outages)
    return Proportion(
        len(asked),
        len(bad),
        round(max(map(_percent_bad, windows), default=0.0), 1),
        round(max((_beside(window, allowed_ms) for window in windows), default=0.0), 1),
        round(bad_time_ms, 3),
        round(_disturbed_ms(spans_ms, [at_ns / 1e6 for at_ns in mending_ns]), 3),
        round(max(end for _, end in spans_ms) - injected_ns / 1e6, 3) if spans_ms else None,
    )


def _windows(answers: Sequence[_Answer], begin_ms: float, end_ms: float) -> list[list[_Answer]]:
    """What is in the windows among which the worst is: each begins or ends with a bad answer, or lies at an end of the
    history. `answers` are in order.
    """
    bad_at_ms = [answer.at_ms for answer in answers if not answer.good]
    latest_ms = max(begin_ms, end_ms - WINDOW_MS)
    starts_ms = {min(max(at_ms, begin_ms), latest_ms) for at_ms in bad_at_ms}
    starts_ms |= {min(max(at_ms - WINDOW_MS, begin_ms), latest_ms) for at_ms in bad_at_ms}
    return [
        [answer for answer in answers if start_ms <= answer.at_ms <= start_ms + WINDOW_MS]
        for start_ms in sorted(starts_ms)
    ]


def _percent_bad(answers: Sequence[_Answer]) -> float:
    return 100 * sum(not answer.good for answer in answers) / len(answers)


def _beside(answers: Sequence[_Answer], allowed_ms: float) -> float:
    """The percentage of bad ones among the answers, but for the stretch of `allowed_ms` that has most bad ones."""
    _, begin, end = max(_stretches(answers, allowed_ms))
    rest = [*answers[:begin], *answers[end:]]
    return _percent_bad(rest) if sum(not answer.good for answer in rest) >= _LEAST_BAD else 0.0


def _stretches(answers: Sequence[_Answer], allowed_ms: float) -> Iterator[tuple[int, int, int]]:
    """(how many bad ones, begin, end) of the longest stretch of `allowed_ms` that ends with each of the answers."""
    begin = bad_count = 0
    for end, answer in enumerate(answers, 1):
        bad_count += not answer.good
        while answer.at_ms - answers[begin].at_ms > allowed_ms:
            bad_count -= not answers[begin].good
            begin += 1
        yield bad_count, begin, end


def _disturbed_ms(spans_ms: Sequence[tuple[float, float]], mending_ms: Sequence[float]) -> float:
    """`spans_ms`: from when to when each bad operation took."""
    longest_ms = 0.0
    begin_ms = last_ms = -inf
    for start_ms, stop_ms in sorted(spans_ms):
        is_another = any(last_ms <= at_ms <= start_ms for at_ms in mending_ms)
        if is_another or start_ms - last_ms > WINDOW_MS:
            begin_ms, last_ms = start_ms, stop_ms
        last_ms = max(last_ms, stop_ms)
        longest_ms = max(longest_ms, last_ms - begin_ms)
    return longest_ms
