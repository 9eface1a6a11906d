"""A table of what clients went through while things were broken, for the end of a run on a terminal."""

from rich.table import Table
from rich.text import Text

from harbor_verify.reports import figures
from harbor_verify.reports.model import Run, Verdict

COLUMNS = {
    "outage_ms": "outage",
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
_SHORT = {
    "bad_time_ms": "outages\ntogether",
    "last_bad_ms": "last bad\nanswer",
    "slowest_ok_ms": "slowest\nanswer",
    "recovery_ms": "recovered",
    "lost": "sessions\nlost",
    "pushes_lost": "pushes\nlost",
    "writes_lost": "writes\nlost",
}
"""Headings for a terminal, where there is less room."""
_BAD = {"outage_ms", "bad_time_ms", "flapping_percent", *figures.LOSSES}
"""Nothing but zero is good."""


def table(run: Run) -> Table | None:
    """A row for each disruption that was measured; None when there was none."""
    rows = [result for result in run.results if "outage_ms" in result.measured]
    if not rows:
        return None
    drawn = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    drawn.add_column("disruption", overflow="fold", vertical="top")
    names = [name for name in COLUMNS if any(name in result.measured for result in rows)]
    for name in names:
        drawn.add_column(_SHORT.get(name, COLUMNS[name]), justify="right")
    for result in rows:
        style = "" if result.verdict == Verdict.PASS else "bold red"
        drawn.add_row(Text(result.id, style=style), *(_cell(name, result.measured) for name in names))
    return drawn


def _cell(name: str, measured: dict[str, object]) -> Text:
    if name not in measured:
        return Text("·", style="dim")
    return Text(
        figures.with_unit(name, measured[name]),
        style="bold red" if name in _BAD and measured[name] else "",
    )
