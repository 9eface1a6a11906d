"""Cron expressions of six fields, seconds first, in UTC, as Harbor takes them: numbers, *, ?, lists, ranges, steps.

Days of month and of week are both to fit where one of them is any; else one of them is enough.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
_ANY = ("*", "?")
_LONGEST = timedelta(days=366 * 5)


class CronError(ValueError):
    """Not of six fields, or one of them is not understood."""


class Cron:
    """Raises CronError."""

    def __init__(self, text: str) -> None:
        fields = text.split()
        if len(fields) != len(_RANGES):
            raise CronError(f"expected exactly {len(_RANGES)} fields, found {len(fields)}: {text}")
        self._sets = [_numbers(field, *bounds) for field, bounds in zip(fields, _RANGES, strict=True)]
        self._both_days = fields[3] in _ANY or fields[5] in _ANY

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The moments that fit, from the first after this one on."""
        seconds, minutes, hours, *_ = self._sets
        at, last = moment.replace(microsecond=0) + timedelta(seconds=1), moment + _LONGEST
        while at < last:
            if not self._is_day(at):
                at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif at.hour not in hours:
                at = at.replace(minute=0, second=0) + timedelta(hours=1)
            elif at.minute not in minutes:
                at = at.replace(second=0) + timedelta(minutes=1)
            else:
                if at.second in seconds:
                    yield at
                at += timedelta(seconds=1)

    def _is_day(self, at: datetime) -> bool:
        *_, days, months, weekdays = self._sets
        fits = (at.day in days, (at.weekday() + 1) % 7 in weekdays)
        return at.month in months and (all(fits) if self._both_days else any(fits))


def _numbers(field: str, lowest: int, highest: int) -> frozenset[int]:
    found: set[int] = set()
    try:
        for part in field.split(","):
            span, _, step = part.partition("/")
            first, dash, last = span.partition("-")
            start = lowest if span in _ANY else int(first)
            end = highest if span in _ANY or (step and not dash) else int(last) if dash else start
            if not lowest <= start <= end <= highest:
                raise CronError(f"{field} is not within {lowest} and {highest}")
            found.update(range(start, end + 1, int(step or 1)))
    except ValueError as wrong:
        raise CronError(f"failed to parse {field}: {wrong}") from wrong
    return frozenset(found)
