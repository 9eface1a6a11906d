"""The end of a run on a terminal: a table by area, then each failure as claim, offenders, hint.

Failures that another one explains are told below it, as consequences.
"""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from harbor_verify.reports import blame, outage_table, screen
from harbor_verify.reports.grouping import Group, grouped
from harbor_verify.reports.model import Category, CheckResult, Run, Verdict
from harbor_verify.reports.screen import WIDEST as WIDEST

STYLES = {
    Category.PASS: "green",
    Category.FAIL: "bold red",
    Category.ADVICE: "bold yellow",
    Category.ERROR: "bold magenta",
    Category.BLOCKED: "yellow",
    Category.NOT_APPLICABLE: "dim",
}
LONGEST = 600
"""Characters of one text; a reader of the terminal wants to know what it is about."""
ALIKE = 3
"""How many objects, and how many things that were observed, are told of one group."""

OWN_FLAWS = "Harbor's own flaws, met here: no setting of this deployment is the reason"
"""The heading of what is so with every Harbor of a generation."""


def render(run: Run, *, width: int, colour: bool) -> str:
    """The whole summary as text of at most `width` columns, with escape sequences if `colour`."""
    console = screen.new(width=width, colour=colour)
    console.print(_table(run))
    if outages := outage_table.table(run):
        console.print()
        console.print(outages)
    causes = blame.causes(run.results)
    for title, category in (
        ("Harbor is wrong", Category.FAIL),
        ("Advice", Category.ADVICE),
        ("Could not find out", Category.ERROR),
    ):
        results = run.of(category)
        if results:
            console.print()
            console.print(Text(f"{title} ({_count(results, causes)})", style=STYLES[category]))
        for result in results:
            if result.id not in causes:
                _tell(console, result, [run.result(id) for id, cause in causes.items() if cause == result.id])
    for title, category in (("Blocked", Category.BLOCKED), ("Not applicable here", Category.NOT_APPLICABLE)):
        if results := run.of(category):
            console.print()
            console.print(Text(f"{title} ({len(results)})", style=STYLES[category]))
            _tell_reasons(console, results)
    for title, lines in (
        (OWN_FLAWS, run.flaws),
        ("Stopped before its end", [run.stopped] if run.stopped else []),
        ("Not run", run.not_run),
        ("Left behind: harbor-verify heal removes it", run.left_behind),
        ("The report is incomplete", run.notes),
    ):
        if lines:
            console.print()
            console.print(Text(f"{title} ({len(lines)})", style="bold"))
            for line in lines:
                console.print(Padding(Text(line), (0, 0, 0, 2)))
    console.print()
    if advised := advice(run):
        console.print(advised)
    console.print(conclusion(run))
    return screen.text_of(console)


def advice(run: Run) -> Text | None:
    """A line about advice that is not followed; None when all is."""
    count = run.count(Category.ADVICE)
    if not count:
        return None
    line = f"Advice: {_many(count, 'check')} of what should be so {'is' if count == 1 else 'are'} not."
    return Text(line, STYLES[Category.ADVICE])


def conclusion(run: Run) -> Text:
    """The answer to the one question, in one line."""
    failed, errors, blocked = (run.count(c) for c in (Category.FAIL, Category.ERROR, Category.BLOCKED))
    if failed:
        causes = blame.causes(run.results)
        follow = sum(result.id in causes for result in run.of(Category.FAIL))
        line = f"{_many(failed, 'check')} failed" + (f", {follow} of them as a consequence" if follow else "")
        return Text(f"This Harbor is not highly available: {line}.", STYLES[Category.FAIL])
    if errors or run.not_run or run.left_behind or run.stopped:
        return Text(
            "No verdict: the suite could not find out everything that it was asked.", STYLES[Category.ERROR]
        )
    if not run.count(Category.PASS):
        return Text("No verdict: nothing was checked.", STYLES[Category.BLOCKED])
    held = _many(run.count(Category.PASS), "check")
    if run.strict and (advised := run.count(Category.ADVICE)):
        line = (
            f"Not as it should be: {_many(advised, 'check')} of advice failed, which --strict-advice counts."
        )
        return Text(line, STYLES[Category.FAIL])
    if blocked:
        return Text(f"What was checked holds: {held} passed, {blocked} blocked.", STYLES[Category.PASS])
    return Text(f"Everything that was checked holds: {held} passed.", STYLES[Category.PASS])


def _count(results: list[CheckResult], causes: Mapping[str, str]) -> str:
    follow = sum(result.id in causes for result in results)
    return f"{len(results) - follow}, and {follow} as a consequence" if follow else str(len(results))


def _table(run: Run) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("area")
    shown = [category for category in Category if category in _ALWAYS or run.count(category)]
    for category in shown:
        table.add_column(HEADINGS[category], justify="right")
    table.add_column("seconds", justify="right")
    table.add_column("verdict")
    for area in run.areas():
        counts = [
            Text(str(area.counts[c]), style=STYLES[c]) if area.counts[c] else Text("·", style="dim")
            for c in shown
        ]
        verdict = Text(HEADINGS[area.category], style=STYLES[area.category])
        table.add_row(area.area, *counts, f"{area.duration_s:.1f}", verdict)
    return table


_ALWAYS = (Category.PASS, Category.FAIL, Category.ERROR)
HEADINGS = {category: category.value for category in Category} | {Category.NOT_APPLICABLE: "n/a"}


def _tell_reasons(console: Console, results: Iterable[CheckResult]) -> None:
    """Each reason once, with the checks that it is about."""
    for reason, ids in grouped_reasons({result.id: result.message for result in results}).items():
        console.print(Padding(Text(f"{_short(reason)}: {', '.join(ids)}"), (0, 0, 0, 2)))


def grouped_reasons(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Ids by the reason that they share."""
    ids_by_reason: dict[str, list[str]] = {}
    for id, reason in reasons.items():
        ids_by_reason.setdefault(reason, []).append(id)
    return ids_by_reason


def _tell(console: Console, result: CheckResult, consequences: list[CheckResult]) -> None:
    def say(text: str, indent: int, style: str = "", label: str = "") -> None:
        # A column of its own for the label: what follows of a long text stands below its beginning.
        line = Table.grid(Column(width=len(label), no_wrap=True), Column())
        line.add_row(Text(label, style=style), Text(text, style=style))
        console.print(Padding(line if label else Text(text, style=style), (0, 0, 0, indent)))

    def say_group(group: Group) -> None:
        for thing in group.objects[:ALIKE]:
            say(thing, 4, "bold")
        if len(group.objects) > ALIKE:
            say(f"and {len(group.objects) - ALIKE} more: report.json has all", 4, "bold")
        say(_short(group.expected), 6, label="expected  ")
        for text in group.observed[:ALIKE]:
            say(_short(text), 6, label="observed  ")
        if len(group.observed) > ALIKE:
            say(f"and {len(group.observed) - ALIKE} times more alike: report.json has all", 6, "dim")
        if len(group.objects) > 1 and group.count > len(group.objects):
            say(f"{group.count} times in all", 6, "dim")

    failed = result.verdict is Verdict.FAIL
    console.print()
    say(result.id, 2, "bold")
    say(result.claim, 2)
    if not failed:
        say(_short(result.message), 4)
    for group in grouped(result.offenders):
        say_group(group)
    if failed and result.message:
        say(_short(result.message), 4)
    if result.measured:
        say(", ".join(f"{name} {value}" for name, value in result.measured.items()), 4, label="measured  ")
    if failed:
        say(result.hint, 4, "cyan", label="→ ")
    for place in _places(result.evidence):
        say(f"see {place}", 4, "dim")
    if consequences:
        say(f"{_many(len(consequences), 'check')} failed as a consequence:", 4)
        for each in consequences:
            say(each.id, 6)


def _places(files: Iterable[str]) -> list[str]:
    """Where to look: checks/ID/ once for all files in it, each other file by its name."""
    folders: dict[str, list[str]] = {}
    for file in files:
        folder = "/".join(file.split("/")[:2]) if file.startswith("checks/") else file
        folders.setdefault(folder, []).append(file)
    return [
        in_folder[0] if len(in_folder) == 1 else f"{folder}/ ({_many(len(in_folder), 'file')})"
        for folder, in_folder in folders.items()
    ]


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… (report.json has all of it)"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
