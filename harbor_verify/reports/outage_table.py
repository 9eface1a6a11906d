"""A table of what clients went through while things were broken, for the end of a run on a terminal."""

import textwrap
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from harbor_verify.reports import figures
from harbor_verify.reports.model import Run, Verdict

COLUMNS = {
    "outage_ms": "outage",
    "repeats": "times",
    "outage_median_ms": "median outage",
    "outage_spread_ms": "spread",
    "bad_time_ms": "outages together",
    "flapping_percent": "flapping",
    "last_bad_ms": "last bad answer",
    "failed": "failed",
    "slowest_ok_ms": "slowest answer",
    "recovery_ms": "recovered",
    "lost": "sessions lost",
    "pushes_lost": "pushes lost",
    "writes_lost": "writes lost",
}
_LOST = ("accounts_lost", "lost", "pushes_lost", "writes_lost")
"""One column on a terminal, where there is less room; so are the headings there."""
_SHORT = {
    "bad_time_ms": "outages\ntogether",
    "outage_median_ms": "median\noutage",
    "last_bad_ms": "last bad\nanswer",
    "slowest_ok_ms": "slowest\nanswer",
    "lost": "lost",
}
_BAD = {"outage_ms", "bad_time_ms", "flapping_percent", *figures.LOSSES}
"""Nothing but zero is good."""
_WHERE_RED = {"bad_time_ms", "flapping_percent", "last_bad_ms"}
"""What says why a disruption is red; where all are green a terminal has no room for it (the HTML report has)."""
_AREA = "failover."
"""Of nearly all of them; it goes without saying."""
_NARROW = 14
"""Characters of a name in a line, where all columns are shown: a terminal of 80 has no more for it."""
_LONG_MS = 10_000


def table(run: Run) -> Table | None:
    """A row for each disruption that was measured; None when there was none."""
    rows = [result for result in run.results if "outage_ms" in result.measured]
    if not rows:
        return None
    drawn = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    drawn.add_column("disruption", overflow="fold", vertical="top")
    figures_by_row = [_with_losses_together(result.measured) for result in rows]
    all_green = all(result.verdict == Verdict.PASS for result in rows)
    names = [
        name
        for name in COLUMNS
        if any(name in measured for measured in figures_by_row) and not (all_green and name in _WHERE_RED)
    ]
    for name in names:
        drawn.add_column(_SHORT.get(name, COLUMNS[name]), justify="right")
    for result, measured in zip(rows, figures_by_row, strict=True):
        style = "" if result.verdict == Verdict.PASS else "bold red"
        name = result.id.removeprefix(_AREA)
        lines = [name] if all_green else textwrap.wrap(name, _NARROW)
        drawn.add_row(Text("\n".join(lines), style=style), *(_cell(each, measured) for each in names))
    return drawn


def _with_losses_together(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The figures, with all that was lost (accounts, sessions, pushes, writes) as one."""
    counts = [measured[name] for name in _LOST if name in measured]
    rest = {name: value for name, value in measured.items() if name not in _LOST}
    return rest | ({"lost": sum(counts)} if counts else {})


def _cell(name: str, measured: Mapping[str, Any]) -> Text:
    if name not in measured:
        return Text("·", style="dim")
    value = measured[name]
    is_long = name.endswith("_ms") and isinstance(value, int | float) and value >= _LONG_MS
    return Text(
        f"{value / 1000:.1f} s" if is_long else figures.with_unit(name, value),
        style="bold red" if name in _BAD and value else "",
    )
