"""How much of what a client asked was answered well, beside how long its longest outage was.

Any ok ends an outage: of a Service that leads every third request to a pod that is gone, each outage is short, however
long that goes on. So bad answers (fail, info, never ended) are also looked at together.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from harbor_verify.history.model import Operation
from harbor_verify.history.outages import Outage

WINDOW_MS = 10_000.0
"""Bad answers are counted in any window of this length; two that are farther apart belong to different troubles."""
_LEAST_BAD = 2
"""Beside the longest run: one bad answer in a window is no flapping, however few answers the window has."""


@dataclass(frozen=True)
class Proportion:
    """Of one client, from the first injection on. Milliseconds; `last_bad_ms` is None where no answer was bad.

    `flapping_percent`: the share of bad answers in the worst window of WINDOW_MS, without the longest run of bad ones
    in it, which is an outage and judged as such; 0 where fewer than two are left.
    `bad_time_ms`: the outages together. `disturbed_ms`: the longest time from a bad answer to a later one in which no
    WINDOW_MS passed without one. `last_bad_ms`: from the injection to the end of the last bad answer.
    """

    answers_count: int
    bad_count: int
    flapping_percent: float
    bad_time_ms: float
    disturbed_ms: float
    last_bad_ms: float | None


def proportion(
    operations: Collection[Operation],
    outages: Sequence[Outage],
    *,
    injected_ns: int,
    end_ns: int,
    unasked_is_bad: bool = False,
) -> Proportion:
    """Of one client's operations since the injection, and of the outages in them.

    What could not be asked says nothing about Harbor: it is left out, or, with `unasked_is_bad`, taken for bad: what
    may have been at worst. `end_ns`: when the history ends; an operation that never ended was bad until then.
    """

    def ended_ns(op: Operation) -> int:
        return end_ns if op.completed_ns is None else op.completed_ns

    answers = sorted((op for op in operations if op.asked or unasked_is_bad), key=ended_ns)
    bad = [op for op in answers if not op.ok]
    times_ms = [(ended_ns(op) / 1e6, op.ok) for op in answers]
    spans_ms = [(max(op.invoked_ns, injected_ns) / 1e6, ended_ns(op) / 1e6) for op in bad]
    bad_time_ms = sum(
        outage.at_least_ms if outage.unasked and not unasked_is_bad else outage.outage_ms
        for outage in outages
        if outage.failed or unasked_is_bad
    )
    return Proportion(
        len(answers),
        len(bad),
        round(_flapping_percent(times_ms, injected_ns / 1e6, end_ns / 1e6), 1),
        round(bad_time_ms, 3),
        round(_disturbed_ms(spans_ms), 3),
        round(max(end for _, end in spans_ms) - injected_ns / 1e6, 3) if spans_ms else None,
    )


def _flapping_percent(times_ms: Sequence[tuple[float, bool]], begin_ms: float, end_ms: float) -> float:
    """`times_ms`: when each answer came, and whether it was good; in order."""
    bad_at_ms = [at_ms for at_ms, good in times_ms if not good]
    # The worst window begins or ends with a bad answer, or lies at an end of the history.
    latest_ms = max(begin_ms, end_ms - WINDOW_MS)
    starts_ms = {min(max(at_ms, begin_ms), latest_ms) for at_ms in bad_at_ms}
    starts_ms |= {min(max(at_ms - WINDOW_MS, begin_ms), latest_ms) for at_ms in bad_at_ms}
    return max(
        (
            _beside_the_longest_run(
                [good for at_ms, good in times_ms if start_ms <= at_ms <= start_ms + WINDOW_MS]
            )
            for start_ms in starts_ms
        ),
        default=0.0,
    )


def _beside_the_longest_run(answers: Sequence[bool]) -> float:
    """The percentage of bad ones among the answers (True: good) but for the longest run of bad ones."""
    runs = [len(list(run)) for good, run in groupby(answers) if not good]
    longest = max(runs, default=0)
    bad = sum(runs) - longest
    return 100 * bad / (len(answers) - longest) if bad >= _LEAST_BAD else 0.0


def _disturbed_ms(spans_ms: Sequence[tuple[float, float]]) -> float:
    """`spans_ms`: from when to when each bad operation took."""
    longest_ms = 0.0
    begin_ms = last_ms = float("-inf")
    for start_ms, stop_ms in sorted(spans_ms):
        if start_ms - last_ms > WINDOW_MS:
            begin_ms, last_ms = start_ms, stop_ms
        last_ms = max(last_ms, stop_ms)
        longest_ms = max(longest_ms, last_ms - begin_ms)
    return longest_ms
