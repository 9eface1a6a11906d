"""What lies ahead of a Harbor: space and how long it lasts, what ends and when, what is due by a schedule.

Of the rows that checks have listed (`CheckResult.listed`), and what earlier runs have measured; nothing is judged here.

    volumes    what, used_bytes, left_bytes, full_percent (too full), inodes_percent (or null), lasts_days (if known)
    ends       what, kind, at, least_days (fewer are wrong)
    schedules  what, cron, redis_cron (empty: Redis has it not), due (the last time), fired (then, or empty), next

Times are ISO 8601, with their zone. What an older report has not is left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from harbor_verify.reports import runs
from harbor_verify.reports.model import Run

_DAYS_BACK = 30
_MOST_ENDS, _MOST_SCHEDULES = 12, 20
_FEWEST = 3
"""Looks, as harbor_verify/model/disk.py has it."""


@dataclass(frozen=True)
class Volume:
    """`looks`: (when, bytes that were used), the oldest first, this run's the last."""

    name: str
    used_bytes: int
    left_bytes: int
    full_percent: float
    inodes_percent: float | None
    lasts_days: float | None
    looks: tuple[tuple[datetime, float], ...]

    @property
    def size_bytes(self) -> int:
        return self.used_bytes + self.left_bytes

    @property
    def percent(self) -> float:
        return 100 * self.used_bytes / self.size_bytes if self.size_bytes else 0.0

    @property
    def is_watched(self) -> bool:
        """Whether it was looked at often enough, and over so long, that one that does not grow would be known."""
        return len(self.looks) >= _FEWEST and self.looks[-1][0] - self.looks[0][0] >= timedelta(days=1)

    @property
    def is_too_full(self) -> bool:
        return max(self.percent, self.inodes_percent or 0.0) >= self.full_percent


@dataclass(frozen=True)
class End:
    """Something that ends. `names`: all that end then for the same reason, as replicas that show one certificate."""

    names: tuple[str, ...]
    kind: str
    at: datetime
    days: float
    """From the run on; negative: it has ended."""
    is_near: bool
    """Whether a check calls that too soon."""


@dataclass(frozen=True)
class Schedule:
    """`redis_cron` and `due` are None where nobody has looked; `fired` is None where nothing began."""

    name: str
    cron: str
    redis_cron: str | None
    due: datetime | None
    fired: datetime | None
    next: datetime | None

    @property
    def is_missed(self) -> bool:
        return self.due is not None and (self.fired is None or self.fired < self.due - timedelta(seconds=5))

    @property
    def differs(self) -> bool:
        return self.redis_cron is not None and self.redis_cron != self.cron


@dataclass(frozen=True)
class Ahead:
    """`ends` are the nearest, `schedules` those that are wrong first; the counts are of all that there are."""

    volumes: list[Volume]
    ends: list[End]
    ends_count: int
    schedules: list[Schedule]
    schedules_count: int

    def __bool__(self) -> bool:
        return bool(self.volumes or self.ends or self.schedules)


def ahead(run: Run, folder: Path) -> Ahead:
    """What this run's checks have listed; earlier runs lie beside its folder."""
    ends, schedules = _ends(run), _schedules(run)
    return Ahead(
        _volumes(run, folder),
        ends[:_MOST_ENDS],
        len(ends),
        schedules[:_MOST_SCHEDULES],
        len(schedules),
    )


def _rows(run: Run, subject: str) -> Iterable[dict[str, Any]]:
    return (row for result in run.results for row in result.listed.get(subject, ()))


def _volumes(run: Run, folder: Path) -> list[Volume]:
    found = []
    for result in run.results:
        rows = result.listed.get("volumes", ())
        earlier = runs.measured_earlier(run, folder, result.id, days=_DAYS_BACK) if rows else []
        for row in rows:
            name = f"{row['what']}_used_bytes"
            looks = [(at, told[name]) for at, told in earlier if isinstance(told.get(name), int | float)]
            found.append(
                Volume(
                    name=row["what"],
                    used_bytes=row["used_bytes"],
                    left_bytes=row["left_bytes"],
                    full_percent=row["full_percent"],
                    inodes_percent=row.get("inodes_percent"),
                    lasts_days=row.get("lasts_days"),
                    looks=(*sorted(looks), (run.started, row["used_bytes"])),
                )
            )
    return sorted(found, key=lambda volume: (-volume.percent, volume.name))


def _ends(run: Run) -> list[End]:
    together: dict[tuple[str, datetime], list[dict[str, Any]]] = {}
    for row in _rows(run, "ends"):
        together.setdefault((row["kind"], datetime.fromisoformat(row["at"])), []).append(row)
    found = []
    for (kind, at), rows in together.items():
        days = (at - run.started) / timedelta(days=1)
        names = tuple(dict.fromkeys(row["what"] for row in rows))
        found.append(End(names, kind, at, days, days < max(row["least_days"] for row in rows)))
    return sorted(found, key=lambda end: (end.at, end.kind))


def _schedules(run: Run) -> list[Schedule]:
    """Several checks tell of one."""
    together: dict[str, dict[str, Any]] = {}
    for row in _rows(run, "schedules"):
        together.setdefault(row["what"], {}).update(row)
    found = [
        Schedule(
            name,
            row["cron"],
            row.get("redis_cron"),
            *(datetime.fromisoformat(row[key]) if row.get(key) else None for key in ("due", "fired", "next")),
        )
        for name, row in together.items()
    ]
    return sorted(found, key=lambda each: not (each.is_missed or each.differs))
