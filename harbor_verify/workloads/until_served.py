"""Asking until one is served, as long as a recovery may take."""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from harbor_verify.errors import DeadlinePassed
from harbor_verify.history import Recorder
from harbor_verify.side_by_side import side_by_side
from harbor_verify.waiting import NotYet, wait_until
from harbor_verify.workloads.work import Work, perform


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
