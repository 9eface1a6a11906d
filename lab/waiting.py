"""Waiting until something is so, with a deadline and with what was last seen."""

from collections.abc import Callable
from typing import TypeVar

import tenacity

from lab.command import INTERRUPTED
from lab.errors import CommandFailed, Interrupted, LabError, NotReady

T = TypeVar("T")


class NotYet(LabError):
    """Raised by a probe: not so yet; the message is what was seen."""


def wait_until(what: str, probe: Callable[[], T], *, deadline_s: float, interval_s: float = 0.2) -> T:
    """Call `probe` until it returns, and return what it returns.

    A probe says "not yet" by raising NotYet, CommandFailed or an OSError; anything else ends the wait at once.

    Raises NotReady after `deadline_s` seconds, with what the probe saw last, and Interrupted after Ctrl-C.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((NotYet, CommandFailed, OSError)),
        stop=tenacity.stop_after_delay(deadline_s) | tenacity.stop_when_event_set(INTERRUPTED),
        wait=tenacity.wait_fixed(interval_s),
        sleep=tenacity.sleep_using_event(INTERRUPTED),
    )
    try:
        return retrying(probe)
    except tenacity.RetryError as late:
        last = late.last_attempt.exception()
        if INTERRUPTED.is_set():
            raise Interrupted(f"no longer waiting: {what}") from last
        raise NotReady(f"{what}: not so after {deadline_s:g} s (last seen: {last})") from last
