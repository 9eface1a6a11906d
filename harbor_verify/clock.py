"""What time it is: by this machine, or by the cluster where this machine's clock is the one that is wrong.

How long certificates, robots and tokens are still valid, and which events are new, hangs on it. Of three clocks (this
machine's, the API server's, the front door's) the middle one is right.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LEEWAY = timedelta(seconds=60)
"""By so much clocks may differ; an answer's Date has whole seconds, and was on its way."""
_correction = timedelta(0)


def now() -> datetime:
    """UTC."""
    return datetime.now(UTC) + _correction


def date_of(headers: Mapping[str, str] | None) -> timedelta | None:
    """How far the clock of who answered with these headers is ahead of this machine's; None where it tells none."""
    try:
        told = parsedate_to_datetime((headers or {})["Date"])
    except (KeyError, TypeError, ValueError):
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)) - datetime.now(UTC)


def correct(ahead: Iterable[timedelta | None]) -> str:
    """Take the others' time where they agree and this machine's differs; a sentence about that, or nothing.

    `ahead`: how far each is ahead of this machine.
    """
    global _correction
    known = sorted(each for each in ahead if each is not None)
    _correction = timedelta(0)
    off = [each for each in known if abs(each) > LEEWAY]
    if not off:
        return ""
    if len(known) < 2 or known[-1] - known[0] > LEEWAY:
        return (
            f"clocks differ: API server or front door are {_in_words(max(off, key=abs))} this machine, and which is "
            "right is not known: what hangs on the time (certificates, tokens) may be wrong"
        )
    _correction = known[len(known) // 2]
    words = _in_words(-_correction)
    return f"this machine's clock is {words} the API server's and the front door's: theirs is taken"


def _in_words(ahead: timedelta) -> str:
    minutes = abs(ahead).total_seconds() / 60
    length = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
    return f"{length} {'ahead of' if ahead > timedelta(0) else 'behind'}"
