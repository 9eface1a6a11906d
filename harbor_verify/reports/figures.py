"""Figures that checks measured, for people: their names in words, their values with units, and what counts as worse."""

from dataclasses import dataclass
from typing import Any

WORDS = {
    "outage_ms": "longest outage",
    "outage_median_ms": "longest outage, the median of all times",
    "outage_spread_ms": "longest outage, from the best time to the worst",
    "repeats": "times it was done",
    "bad_time_ms": "outages together",
    "flapping_percent": "bad answers in the worst 10 s, beside the outage that is allowed",
    "last_bad_ms": "last bad answer after",
    "starved_percent": "time in which the machine that asked was starved",
    "slowest_ok_ms": "slowest good answer",
    "recovery_ms": "recovered after",
    "response_ms": "fault answered after",
    "failed": "operations without a good answer",
    "accounts_lost": "accounts lost",
    "lost": "sessions lost",
    "pushes_lost": "pushes lost",
    "writes_lost": "writes lost",
    "stale_reads": "reads that missed the write before them",
    "writes": "values written",
    "sessions": "sessions tried",
    "pushes": "images pushed",
    "pushed_bytes": "pushed in all; freed by Harbor's next garbage collection",
    "pulls": "pulls",
    "load_pulls": "pulls of the load",
    "load_pushes": "pushes of the load",
    "load_failed": "pulls and pushes of the load that failed",
    "load_pushed_bytes": "pushed by the load; freed by Harbor's next garbage collection",
    "load_rate_per_s": "pulls and pushes of the load",
    "load_p50_ms": "half of the load's pulls and pushes within",
    "load_p99_ms": "99 of 100 of the load's pulls and pushes within",
    "load_longest_ms": "longest pull or push of the load",
}
UNITS = {
    "_mib_per_s": "MiB/s",
    "_per_s": "/s",
    "_bytes": "bytes",
    "_percent": "%",
    "_count": "",
    "_days": "days",
    "_ms": "ms",
    "_s": "s",
}
LOSSES = ("failed", "accounts_lost", "lost", "pushes_lost", "writes_lost")
"""Any more of these is worse."""
NOISE = 0.25
"""Times and rates differ by as much from run to run, on a cluster that is as it was."""
NOISE_MS = 50.0


@dataclass(frozen=True)
class Figure:
    """A figure in words: `longest outage`, `340 ms`."""

    name: str
    value: str


def figure_of(name: str, value: Any) -> Figure:
    """The figure in words."""
    return Figure(words(name), with_unit(name, value))


def words(name: str) -> str:
    """outage_ms → longest outage."""
    return WORDS.get(name) or name.removesuffix(_suffix(name)).replace("_", " ")


def with_unit(name: str, value: Any) -> str:
    """`340 ms`, `41.6 MiB/s`; what is no number as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    unit = UNITS.get(_suffix(name), "")
    number = f"{value:.0f}" if unit == "ms" or float(value).is_integer() else f"{value:.1f}"
    return f"{number} {unit}".rstrip()


def comparable(name: str) -> bool:
    """Whether it says something about Harbor; how much was asked of it is different each time."""
    return name in LOSSES or bool(_suffix(name))


def tendency(name: str, before: Any, after: Any) -> str:
    """What a change means: worse, better, changed (neither), or steady (as good as the same)."""
    if before == after:
        return "steady"
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in (before, after)):
        return "changed"
    if name in LOSSES:
        return "worse" if after > before else "better"
    rate = name.endswith("_per_s")
    if not rate and not name.endswith(("_ms", "_percent")):
        return "changed"
    if abs(after - before) < NOISE * max(abs(before), abs(after)) or (
        not rate and abs(after - before) < NOISE_MS
    ):
        return "steady"
    return "worse" if (after > before) != rate else "better"


def _suffix(name: str) -> str:
    return next((suffix for suffix in UNITS if name.endswith(suffix)), "")
