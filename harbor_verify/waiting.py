"""Waiting until something is so: the one place that polls. No other module sleeps or retries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TypeVar

import tenacity

from harbor_verify.errors import DeadlinePassed

T = TypeVar("T")
_CLUSTER_IS_ASKED_EVERY_S = 2


class NotYet(Exception):
    """Raised by a probe: not so yet. The message is what was seen."""


_goes_on: ContextVar[Callable[[], None]] = ContextVar("goes on", default=lambda: None)


@contextmanager
def as_long_as(goes_on: Callable[[], None]) -> Iterator[None]:
    """Within the block every wait of this thread also calls `goes_on` at each look; what that raises ends the wait."""
    token = _goes_on.set(goes_on)
    try:
        yield
    finally:
        _goes_on.reset(token)


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
    goes_on = _goes_on.get()

    def look() -> T:
        goes_on()
        return probe()

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((NotYet, *retry_on)),
        stop=tenacity.stop_after_delay(timeout_s),
        wait=tenacity.wait_fixed(interval_s),
    )
    try:
        return retrying(look)
    except tenacity.RetryError as late:
        last = late.last_attempt.exception()
        raise DeadlinePassed(
            f"{what}: not so after {timeout_s:g} s ({deadline}); last seen: {last}"
        ) from last


def last_look(
    what: str,
    look: Callable[[], T],
    settled: Callable[[T], bool],
    *,
    deadline: str,
    timeout_s: float,
    interval_s: float = 0.2,
) -> T:
    """What `look` sees once that is `settled`, or else what it saw last when `timeout_s` seconds were over.

    For what may be about to become so: a verdict on it waits, and is one in the end all the same. Raises what `look`
    does.
    """
    seen: list[T] = []

    def probe() -> None:
        seen[:] = [look()]
        if not settled(seen[0]):
            raise NotYet("not settled")

    with suppress(DeadlinePassed):
        wait_until(what, probe, deadline=deadline, timeout_s=timeout_s, interval_s=interval_s)
    return seen[0]


def once_converged(what: str, look: Callable[[], T], settled: Callable[[T], bool], *, timeout_s: float) -> T:
    """The same for what the cluster is coming to: seldom enough for its API, for `converge_timeout_s`."""
    return last_look(
        what,
        look,
        settled,
        deadline="converge_timeout_s",
        timeout_s=timeout_s,
        interval_s=_CLUSTER_IS_ASKED_EVERY_S,
    )
