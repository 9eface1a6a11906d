"""Asking after the heal: what is refused is asked for again, for a span of time, so that a loss is sure."""

import contextlib
import time
from collections.abc import Iterable, Sequence
from functools import partial

from harbor_verify.checkers.confirmation import LEAST_ASKS
from harbor_verify.errors import DeadlinePassed
from harbor_verify.history import CONFIRMING, Operation, Recorder
from harbor_verify.side_by_side import side_by_side
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.work import Work, perform

_NO_LONGER_S = 120
"""Where nobody answers, each ask waits for long: so many seconds beyond the span no more asks begin."""


class _Asked:
    """One thing that is asked for at one place, and what came of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.asks: list[Operation] = []

    def is_settled(self, span_s: float) -> bool:
        """Whether it was got, or refused for long enough in the way in which it was refused last."""
        if not self.asks:
            return False
        last = self.asks[-1]
        if last.ok:
            return True
        alike = [op for op in self.asks if op.error == last.error]
        lasted_s = (last.invoked_ns - (alike[0].completed_ns or alike[0].invoked_ns)) / 1e9
        return len(alike) >= LEAST_ASKS and lasted_s >= span_s


def ask_until_known(
    recorder: Recorder, lanes: Iterable[Iterable[Work]], *, span_s: float, at_least_s: float = 0
) -> list[Operation]:
    """Do each work once, what is in a lane one after the other, the lanes side by side; and what was not ok again and
    again, until it is, or was not for `span_s` seconds (`at_least_s`, where that is longer).

    The history tells the span, once something was refused, and checkers judge by it. Returns the last operation of
    each work, lane by lane; none of what there was no time for, which checkers call unknown.
    """
    asked = [[_Asked(work) for work in lane] for lane in lanes]
    waits_s = max(span_s, at_least_s)
    no_more_s = time.monotonic() + waits_s + _NO_LONGER_S

    def ask(each: _Asked) -> None:
        if time.monotonic() < no_more_s:
            each.asks.append(perform(each.work, recorder))

    def ask_all(left: Sequence[Sequence[_Asked]]) -> None:
        side_by_side([[partial(ask, each) for each in lane] for lane in left])

    def ask_again() -> None:
        left = [[each for each in lane if not each.is_settled(waits_s)] for lane in asked]
        ask_all(left)
        if count := sum(not each.is_settled(waits_s) for lane in left for each in lane):
            raise NotYet(f"{count} things are refused")

    ask_all(asked)
    if any(not (each.asks and each.asks[-1].ok) for lane in asked for each in lane):
        recorder.event("after the heal", CONFIRMING, {"span_s": span_s})
        # What was not settled by then was not asked for long enough: checkers call it unknown.
        with contextlib.suppress(DeadlinePassed):
            wait_until(
                "what was acknowledged is there",
                ask_again,
                deadline="confirmation_s",
                timeout_s=max(0.0, no_more_s - time.monotonic()),
                interval_s=min(0.5, waits_s / 4),
            )
    return [each.asks[-1] for lane in asked for each in lane if each.asks]
