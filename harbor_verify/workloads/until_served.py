"""Asking until one is served: a few times before anything is broken, as long as a recovery may take afterwards."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from harbor_verify.errors import CannotTell, DeadlinePassed
from harbor_verify.history import Operation, Recorder
from harbor_verify.side_by_side import side_by_side
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.work import Work, perform

TRIES = 3
_APART_S = 0.5
_NO_LONGER_S = 300
"""However long an answer takes."""


def try_before(recorder: Recorder, work: Work) -> Operation:
    """Do it before anything is broken, again after a moment where it is not ok, three times at most; the last of them.

    Raises CannotTell where one could not so much as ask, the last time.
    """
    done: list[Operation] = []

    def served() -> None:
        done.append(perform(work, recorder))
        if not done[-1].ok and len(done) < TRIES:
            raise NotYet("it is not answered well")

    with suppress(DeadlinePassed):
        wait_until(
            f"{work.client} works", served, deadline="fixed", timeout_s=_NO_LONGER_S, interval_s=_APART_S
        )
    if not done[-1].ok and not done[-1].asked:
        raise CannotTell(f"{work.client} could not be asked, so nothing was broken: {done[-1].error}")
    return done[-1]


def try_until_served(recorder: Recorder, works: Iterable[Work], *, timeout_s: float) -> None:
    """Do each work, all side by side, again and again until it is done, or `timeout_s` has passed; the history tells
    which.
    """
    side_by_side([[partial(_until_served, recorder, work, timeout_s)] for work in works])


def _until_served(recorder: Recorder, work: Work, timeout_s: float) -> None:
    def served() -> None:
        if not perform(work, recorder).ok:
            raise NotYet("it is not answered well")

    with suppress(DeadlinePassed):
        wait_until(
            f"{work.client} is answered well",
            served,
            deadline="recovery_budget_s",
            timeout_s=timeout_s,
            interval_s=0.2,
        )
