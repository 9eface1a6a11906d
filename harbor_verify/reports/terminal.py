"""The end of a run on a terminal: a table by area, then each failure as claim, offenders, hint."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from harbor_verify.reports import outage_table, screen
from harbor_verify.reports.model import CheckResult, Offender, Run, Verdict
from harbor_verify.reports.screen import WIDEST as WIDEST

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.SKIP: "yellow",
}
LONGEST = 600
"""Characters of one text; a reader of the terminal wants to know what it is about."""
ALIKE = 3
"""How often the same thing may be told of the same object."""


def render(run: Run, *, width: int, colour: bool) -> str:
    """The whole summary as text of at most `width` columns, with escape sequences if `colour`."""
    console = screen.new(width=width, colour=colour)
    console.print(_table(run))
    if outages := outage_table.table(run):
        console.print()
        console.print(outages)
    for title, verdict, tell in (
        ("Harbor is wrong", Verdict.FAIL, _tell_each),
        ("Could not find out", Verdict.ERROR, _tell_each),
        ("Skipped", Verdict.SKIP, _tell_reasons),
    ):
        chosen = [result for result in run.results if result.verdict == verdict]
        if chosen:
            console.print()
            console.print(Text(f"{title} ({len(chosen)})", style=STYLES[verdict]))
            tell(console, chosen)
    if run.not_applicable:
        console.print()
        console.print(Text(f"Not applicable ({len(run.not_applicable)})", style="dim"))
        for reason, ids in grouped_reasons(run.not_applicable).items():
            console.print(Padding(Text(f"{reason}: {', '.join(ids)}", style="dim"), (0, 0, 0, 2)))
    for title, lines in (
        ("Not run", run.not_run),
        ("Left behind; remove by hand", run.left_behind),
        ("The report is not whole", run.notes),
    ):
        if lines:
            console.print()
            console.print(Text(f"{title} ({len(lines)})", style="bold"))
            for line in lines:
                console.print(Padding(Text(line), (0, 0, 0, 2)))
    console.print()
    console.print(conclusion(run))
    return screen.text_of(console)


def conclusion(run: Run) -> Text:
    """The answer to the one question, in one line."""
    failed, errors, skipped = (run.count(v) for v in (Verdict.FAIL, Verdict.ERROR, Verdict.SKIP))
    if failed:
        return Text(
            f"This Harbor is not highly available: {_many(failed, 'check')} failed.", STYLES[Verdict.FAIL]
        )
    if errors or run.not_run or run.left_behind:
        return Text(
            "No verdict: the suite could not find out everything that it was asked.", STYLES[Verdict.ERROR]
        )
    if not run.count(Verdict.PASS):
        return Text("No verdict: nothing was checked.", STYLES[Verdict.SKIP])
    held = _many(run.count(Verdict.PASS), "check")
    if skipped:
        return Text(f"What was checked holds: {held} passed, {skipped} skipped.", STYLES[Verdict.PASS])
    return Text(f"Everything that was checked holds: {held} passed.", STYLES[Verdict.PASS])


def _table(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("area")
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("verdict")
    for area in run.areas():
        counts = [
            Text(str(area.counts[v]), style=STYLES[v]) if area.counts[v] else Text("·", style="dim")
            for v in Verdict
        ]
        table.add_row(
            area.area, *counts, f"{area.duration_s:.1f}", Text(area.verdict.value, style=STYLES[area.verdict])
        )
    return table


def _tell_reasons(console: Console, skipped: Iterable[CheckResult]) -> None:
    """Each reason once, below the checks that it keeps from running."""
    reasons: dict[str, list[str]] = {}
    for result in skipped:
        reasons.setdefault(result.message, []).append(result.id)
    for reason, ids in reasons.items():
        console.print()
        for id in ids:
            console.print(Padding(Text(id, style="bold"), (0, 0, 0, 2)))
        console.print(Padding(Text(_short(reason)), (0, 0, 0, 4)))


def grouped_reasons(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Ids by the reason that they share."""
    found: dict[str, list[str]] = {}
    for id, reason in reasons.items():
        found.setdefault(reason, []).append(id)
    return found


def _tell_each(console: Console, results: Iterable[CheckResult]) -> None:
    for result in results:
        _tell(console, result)


def _tell(console: Console, result: CheckResult) -> None:
    def say(text: str, indent: int, style: str = "", label: str = "") -> None:
        # A column of its own for the label: what follows of a long text stands below its beginning.
        line = Table.grid(Column(width=len(label), no_wrap=True), Column())
        line.add_row(Text(label, style=style), Text(text, style=style))
        console.print(Padding(line if label else Text(text, style=style), (0, 0, 0, indent)))

    console.print()
    say(result.id, 2, "bold")
    say(result.claim, 2)
    if result.verdict != Verdict.FAIL:
        say(_short(result.message), 4)
    for (thing, expected), observed in _grouped(result.offenders).items():
        say(thing, 4, "bold")
        say(_short(expected), 6, label="expected  ")
        for text in observed[:ALIKE]:
            say(_short(text), 6, label="observed  ")
        if len(observed) > ALIKE:
            say(f"and {len(observed) - ALIKE} times more alike: report.json has all", 6, "dim")
    if result.verdict == Verdict.FAIL and result.message:
        say(_short(result.message), 4)
    if result.measured:
        say(", ".join(f"{name} {value}" for name, value in result.measured.items()), 4, label="measured  ")
    if result.verdict == Verdict.FAIL:
        say(result.hint, 4, "cyan", label="→ ")
    for place in _places(result.evidence):
        say(f"see {place}", 4, "dim")


def _grouped(offenders: Iterable[Offender]) -> dict[tuple[str, str], list[str]]:
    """What was observed, by object and what was expected of it; in the order of appearance."""
    groups: dict[tuple[str, str], list[str]] = {}
    for offender in offenders:
        groups.setdefault((offender.object, offender.expected), []).append(offender.observed)
    return groups


def _places(files: Iterable[str]) -> list[str]:
    """Where to look: checks/ID/ once for all files in it, each other file by its name."""
    folders: dict[str, list[str]] = {}
    for file in files:
        folder = "/".join(file.split("/")[:2]) if file.startswith("checks/") else file
        folders.setdefault(folder, []).append(file)
    return [
        found[0] if len(found) == 1 else f"{folder}/ ({_many(len(found), 'file')})"
        for folder, found in folders.items()
    ]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… (report.json has all of it)"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
