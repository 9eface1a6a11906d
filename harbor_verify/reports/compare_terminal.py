"""The differences of two runs on a terminal, and the list of runs."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harbor_verify.reports import figures, screen
from harbor_verify.reports.compare import Comparison, VerdictChange
from harbor_verify.reports.model import Category, Run
from harbor_verify.reports.terminal import HEADINGS, STYLES

_TENDENCIES = {"worse": "bold red", "better": "green", "changed": "yellow", "steady": "dim"}


def render(comparison: Comparison, *, width: int, colour: bool) -> str:
    """The comparison as text of at most `width` columns, with escape sequences if `colour`."""
    made = screen.new(width=width, colour=colour)
    heads = Table.grid(padding=(0, 2, 0, 0))
    for label, run in (("before", comparison.before), ("after", comparison.after)):
        heads.add_row(label, *_head(run))
    made.print(heads)
    if not comparison.same_target:
        made.print(Text("These runs are about different targets.", style="bold yellow"))
    if comparison.judged:
        _title(made, f"Verdicts ({len(comparison.judged)})")
        made.print(Padding(_verdicts(comparison.judged), (0, 0, 0, 2)))
    for title, chosen in (
        ("Only before", comparison.only_before),
        ("Only after", comparison.only_after),
    ):
        if chosen:
            _title(made, f"{title} ({len(chosen)})")
            made.print(Padding(Text(", ".join(each.id for each in chosen)), (0, 0, 0, 2)))
    if comparison.moved:
        _title(made, f"Figures ({len(comparison.moved)})")
        made.print(Padding(_figures(comparison), (0, 0, 0, 2)))
    if comparison.facts:
        _title(made, f"What was verified ({len(comparison.facts)})")
        for fact in comparison.facts:
            made.print(Padding(Text(fact.name, style="bold"), (0, 0, 0, 2)))
            made.print(Padding(Text(f"before  {fact.before or 'not there'}"), (0, 0, 0, 4)))
            made.print(Padding(Text(f"after   {fact.after or 'not there'}"), (0, 0, 0, 4)))
    made.print()
    made.print(Text(conclusion(comparison)))
    return screen.text_of(made)


def conclusion(comparison: Comparison) -> str:
    """One sentence about it all."""
    if comparison.nothing:
        return "Nothing changed."
    tendencies = [each.tendency for each in comparison.verdicts] + [
        each.tendency for each in comparison.moved
    ]
    worse, better = tendencies.count("worse"), tendencies.count("better")
    steady = (
        f"; {comparison.steady_count} figures are within the usual noise" if comparison.steady_count else ""
    )
    return f"{worse} worse, {better} better{steady}."


def listing(runs: Mapping[str, Run | None], *, width: int, colour: bool) -> str:
    """A line a run, the newest last; None: it has no report that can be read."""
    made = screen.new(width=width, colour=colour)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("run", no_wrap=True)
    table.add_column("profile")
    table.add_column("url", overflow="fold")
    for category in Category:
        table.add_column(HEADINGS[category], justify="right")
    table.add_column("seconds", justify="right")
    for name, run in runs.items():
        if run is None:
            table.add_row(Text(name), Text("no report: it was killed, or goes on", style="dim"))
            continue
        counts = [
            Text(str(run.count(v)), style=STYLES[v]) if run.count(v) else Text("·", style="dim")
            for v in Category
        ]
        table.add_row(Text(name), Text(run.profile), Text(run.url), *counts, f"{run.duration_s:.0f}")
    made.print(table)
    return screen.text_of(made)


def _head(run: Run) -> Iterable[Text]:
    counts = ", ".join(f"{run.count(v)} {v.value}" for v in Category if run.count(v))
    return (
        Text(f"{run.started:%Y-%m-%d %H:%M:%S} UTC"),
        Text(f"{run.profile} at {run.url}"),
        Text(counts or "nothing was checked"),
    )


def _title(made: Console, text: str) -> None:
    made.print()
    made.print(Text(text, style="bold"))


def _category(category: Category | None) -> Text:
    return Text(category.value, style=STYLES[category]) if category else Text("·", style="dim")


def _verdicts(changes: Iterable[VerdictChange]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for each in changes:
        table.add_row(
            Text(each.tendency, style=_TENDENCIES[each.tendency]),
            _category(each.before),
            "→",
            _category(each.after),
            Text(each.id),
        )
    return table


def _figures(comparison: Comparison) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for each in comparison.moved:
        table.add_row(
            Text(each.tendency, style=_TENDENCIES[each.tendency]),
            Text(each.check),
            Text(figures.words(each.name)),
            Text(figures.with_unit(each.name, each.before)),
            "→",
            Text(figures.with_unit(each.name, each.after)),
            Text("" if each.percent is None else f"{each.percent:+.0f} %", style="dim"),
        )
    return table
