"""summary.md: a run for the page of a CI job (GitHub's step summary, a merge request's note).

cat reports/latest/summary.md >> "$GITHUB_STEP_SUMMARY"
"""

from collections.abc import Iterable
from pathlib import Path

from harbor_verify.reports import blame, figures, terminal, whole
from harbor_verify.reports.grouping import grouped
from harbor_verify.reports.model import Category, CheckResult, Run
from harbor_verify.reports.outage_table import COLUMNS

_TITLES = {
    Category.FAIL: "Harbor is wrong",
    Category.ADVICE: "Advice",
    Category.ERROR: "Could not find out",
    Category.BLOCKED: "Blocked",
}
_ALIKE = 3
_LONGEST = 400
_MARKS = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]<>#|~"})


def write(run: Run, file: Path) -> None:
    """Write the run as Markdown. Raises OSError."""
    whole.put(file, text_of(run))


def text_of(run: Run) -> str:
    """The conclusion, a table by area, one of what was broken, and each failure with its hint."""
    blocks = [f"## {_plain(terminal.conclusion(run).plain)}", _plain(f"{run.url}, namespace {run.namespace}")]
    shown = [category for category in Category if run.count(category)]
    blocks.append(
        _table(
            ["area", *(terminal.HEADINGS[category] for category in shown), "seconds"],
            (
                [area.area, *(area.counts[category] or "" for category in shown), f"{area.duration_s:.0f}"]
                for area in run.areas()
            ),
        )
    )
    if broken := [result for result in run.results if "outage_ms" in result.measured]:
        names = [name for name in COLUMNS if any(name in result.measured for result in broken)]
        blocks.append(
            _table(
                ["disruption", *(COLUMNS[name] for name in names)],
                (
                    [
                        result.id,
                        *(
                            figures.with_unit(name, result.measured[name]) if name in result.measured else ""
                            for name in names
                        ),
                    ]
                    for result in broken
                ),
            )
        )
    causes = blame.causes(run.results)
    for category, title in _TITLES.items():
        results = [result for result in run.of(category) if result.id not in causes]
        if not results:
            continue
        blocks.append(f"### {title} ({len(results)})")
        if category is Category.BLOCKED:
            reasons = terminal.grouped_reasons({result.id: result.message for result in results})
            blocks.append("\n".join(f"- {_plain(why)}: {', '.join(ids)}" for why, ids in reasons.items()))
            continue
        for result in results:
            follow = [id for id, cause in causes.items() if cause == result.id]
            blocks.append(_told(result, follow))
    for title, lines in (
        (terminal.OWN_FLAWS, run.flaws),
        ("Not run", run.not_run),
        ("Left behind; remove by hand", run.left_behind),
    ):
        if lines:
            blocks += [f"### {title} ({len(lines)})", "\n".join(f"- {_plain(line)}" for line in lines)]
    return "\n\n".join(blocks) + "\n"


def _told(result: CheckResult, follow: list[str]) -> str:
    lines = [f"**{_plain(result.id)}** {_plain(result.claim)}", ""]
    for group in grouped(result.offenders):
        objects = ", ".join(_plain(thing) for thing in group.objects[:_ALIKE])
        more = f" and {len(group.objects) - _ALIKE} more" if len(group.objects) > _ALIKE else ""
        lines.append(f"- {objects}{more}: expected {_plain(group.expected)}")
        lines += [f"  - observed {_plain(text)}" for text in group.observed[:_ALIKE]]
    if result.message:
        lines.append(f"- {_plain(result.message)}")
    if result.category in (Category.FAIL, Category.ADVICE):
        lines += ["", f"→ {_plain(result.hint, longest=None)}"]
    if follow:
        lines += ["", f"As a consequence: {', '.join(map(_plain, follow))}"]
    return "\n".join(lines)


def _table(heads: list[str], rows: Iterable[list[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text if text == "---" else _plain(text)


def _plain(text: str, *, longest: int | None = _LONGEST) -> str:
    """As text, on one line: what an operator's objects are called is no Markdown of ours."""
    line = " ".join(text.split())
    return (line if longest is None or len(line) <= longest else f"{line[:longest]}…").translate(_MARKS)
