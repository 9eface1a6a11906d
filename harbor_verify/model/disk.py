"""How full a file system is, by what `df` prints, and how long it lasts at the rate of earlier looks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_ROW = re.compile(r"\s(\d+)\s+(-?\d+)\s+(-?\d+)\s+(?:-?\d+%|-)\s+/.*$")
_FEWEST, _SHORTEST = 3, timedelta(days=1)
"""So many looks over so long a time say something; fewer only what was pushed in between."""


@dataclass(frozen=True)
class Usage:
    """Of space (KiB) or of inodes: what is used, and what is left to those who are not root."""

    used: int
    left: int

    @property
    def percent(self) -> float:
        """How much of both together is used."""
        return 100 * self.used / (self.used + self.left)


def usage_of(printed: str) -> Usage | None:
    """The last row of what `df -P` prints of one path; None where that counts nothing: a file system that makes
    inodes as they are wanted.

    Source: POSIX: df; CephFS: a folder with a quota that is mounted shows that as its size.
    """
    rows = [found for line in printed.splitlines() if (found := _ROW.search(line))]
    if not rows:
        return None
    total, used, left = map(int, rows[-1].groups())
    if total <= 0 or used < 0 or not 0 <= left <= total or used + left == 0:
        return None
    return Usage(used, left)


def days_left(looks: Sequence[tuple[datetime, float]], left: float) -> float | None:
    """Days until `left` is used up, at the rate of these looks (when, how much was used), by least squares.

    None where they are too few, or not apart enough, or where no more is used than before.
    """
    if len(looks) < _FEWEST or max(at for at, _ in looks) - min(at for at, _ in looks) < _SHORTEST:
        return None
    first = min(at for at, _ in looks)
    days = [(at - first) / timedelta(days=1) for at, _ in looks]
    mean_day, mean_used = sum(days) / len(days), sum(used for _, used in looks) / len(looks)
    rate = sum((day - mean_day) * (used - mean_used) for day, (_, used) in zip(days, looks, strict=True))
    rate /= sum((day - mean_day) ** 2 for day in days)
    return left / rate if rate > 0 else None
