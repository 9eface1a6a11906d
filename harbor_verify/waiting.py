"""Waiting until something is so: the one place that polls. No other module sleeps or retries."""

from collections.abc import Callable
from typing import TypeVar

import tenacity

from harbor_verify.errors import DeadlinePassed

T = TypeVar("T")


class NotYet(Exception):
    """Raised by a probe: not so yet. The message is what was seen."""


def wait_until(
    what: str,
    probe: Callable[[], T],
    *,
    deadline: str,
    timeout_s: float,
    interval_s: float = 0.2,
    retry_on: tuple[type[Exception], ...] = (),
) -> T:
    """Call `probe`, which must change nothing, until it returns; return what it returned.

    A probe says "not yet" by raising NotYet, or one of `retry_on`; any other exception ends the wait at once.
    `deadline` is the name of the setting that gave `timeout_s`, for the message.

    Raises DeadlinePassed after `timeout_s` seconds, with what was seen last.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((NotYet, *retry_on)),
        stop=tenacity.stop_after_delay(timeout_s),
        wait=tenacity.wait_fixed(interval_s),
    )
    try:
        return retrying(probe)
    except tenacity.RetryError as late:
        last = late.last_attempt.exception()
        raise DeadlinePassed(
            f"{what}: not so after {timeout_s:g} s ({deadline}); last seen: {last}"
        ) from last
