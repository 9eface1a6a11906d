"""report.html: a run for people. One file, that needs nothing else: no network, no script, no other file.

Links lead to the evidence beside it, where that was kept.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from harbor_verify.reports import (
    ahead,
    audits,
    blame,
    compare,
    disruption_view,
    environment,
    figures,
    outage_table,
    runs,
    screenshots,
    terminal,
    whole,
)
from harbor_verify.reports.compare_terminal import conclusion
from harbor_verify.reports.grouping import grouped
from harbor_verify.reports.model import Category, Run
from harbor_verify.reports.terminal import grouped_reasons

FILE = "report.html"
MOST_RUNS = 20
"""Of earlier runs in the trend."""
CATEGORY_WORDS = {
    Category.PASS: "passed",
    Category.FAIL: "failed",
    Category.ADVICE: "advice",
    Category.ERROR: "could not find out",
    Category.BLOCKED: "blocked",
    Category.NOT_APPLICABLE: "not applicable",
}


def write(run: Run, folder: Path) -> Path:
    """Write the run's report.html into its folder; returns the file. Raises OSError."""
    file = folder / FILE
    whole.put(file, document(run, folder))
    return file


def document(run: Run, folder: Path) -> str:
    """The page. `folder` is the run's: histories and pictures lie in it, earlier runs beside it."""
    earlier = runs.earlier(run, folder, at_most=MOST_RUNS)
    views = [
        made
        for number, result in enumerate(run.results)
        if (made := disruption_view.view(result, folder, name=f"disruption-{number}"))
    ]
    coming = ahead.ahead(run, folder)
    space_plot, ends_plot = _plots_of(coming)
    return _template().render(
        run=run,
        env=environment.whole(run.environment),
        conclusion=terminal.conclusion(run).plain,
        advice_line=terminal.advice(run),
        state=_state(run),
        own_flaws=terminal.OWN_FLAWS,
        views=views,
        drawn={made.result.id for made in views},
        outage_rows=[result for result in run.results if "outage_ms" in result.measured],
        outage_columns={
            name: heading
            for name, heading in outage_table.COLUMNS.items()
            if any(name in result.measured for result in run.results)
        },
        causes=blame.causes(run.results),
        failed=run.of(Category.FAIL),
        advice=run.of(Category.ADVICE),
        errors=run.of(Category.ERROR),
        blocked=_reasons(run, Category.BLOCKED),
        not_applicable=_reasons(run, Category.NOT_APPLICABLE),
        screenshots=screenshots.of_run(run, folder),
        comparison=compare.compare(earlier[-1], run) if earlier else None,
        trend=_trend([*earlier, run]),
        ahead=coming,
        audits=audits.audits(run, folder),
        space_plot=space_plot,
        ends_plot=ends_plot,
        Category=Category,
        any_plot=any(made.plot for made in views),
    )


def _trend(runs: list[Run]) -> Any:
    """The plot over these runs; None when there is nothing to draw."""
    if not any(result.measured for run in runs for result in run.results):
        return None
    # Only here: what draws plots takes a second to import.
    from harbor_verify.reports.plots import trend

    return trend.draw(runs, name="trend")


def _plots_of(coming: ahead.Ahead) -> tuple[Any, Any]:
    """Of space over time, and of what ends; None where there is nothing to draw."""
    if not (coming.volumes or coming.ends):
        return None, None
    from harbor_verify.reports.plots import ahead as plots

    return plots.space(coming.volumes, name="space"), plots.ends(coming.ends, name="ends")


def _template() -> Template:
    made = Environment(
        loader=PackageLoader("harbor_verify.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        figure=figures.figure_of,
        with_unit=lambda value, name: figures.with_unit(name, value),
        figure_words=figures.words,
        category_words=lambda category: CATEGORY_WORDS[category],
        kind=lambda category: category.value.replace(" ", "-"),
        grouped=grouped,
        href=lambda file: quote(str(file)),
        ms=_ms,
        size=_size,
        days=_days,
        moment=_moment,
        duration=_duration,
        comparison_words=conclusion,
        replicas=environment.replicas,
        anchor=_anchor,
        breakable=_breakable,
    )
    return made.get_template("report.html.j2")


def _state(run: Run) -> str:
    """The verdict of the whole, as the page's icon and colour: pass, fail, error, blocked."""
    if run.count(Category.FAIL):
        return "fail"
    if run.count(Category.ERROR) or run.not_run or run.left_behind or run.stopped:
        return "error"
    return "pass" if run.count(Category.PASS) else "blocked"


def _reasons(run: Run, category: Category) -> dict[str, list[str]]:
    """Ids by the reason that they share."""
    return grouped_reasons({result.id: result.message for result in run.of(category)})


def _ms(value: float | None) -> str:
    """`3 580 ms`, with a narrow space that does not break."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,.0f}\u00a0ms".replace(",", "\u202f").replace("-", "\N{MINUS SIGN}")


def _duration(seconds: float) -> str:
    """`8.6 s`, `4 min 12 s`."""
    if seconds < 60:
        return f"{seconds:.1f}\u00a0s"
    return f"{seconds // 60:.0f}\u00a0min\u00a0{seconds % 60:.0f}\u00a0s"


def _size(count_bytes: float) -> str:
    """`640 MiB`, `12.5 GiB`."""
    units = ["B", "KiB", "MiB", "GiB", "TiB"]
    while count_bytes >= 1024 and len(units) > 1:
        count_bytes /= 1024
        del units[0]
    return f"{count_bytes:.1f}".removesuffix(".0") + f"\u00a0{units[0]}"


def _days(count: float) -> str:
    """`5 days`, `3 years`; `4 days ago` of what has been."""
    if count < 0:
        return f"{_days(-count)} ago"
    if count < 1:
        return "less than a day"
    if count >= 730:
        return f"{count / 365:.0f}\u00a0years"
    return "1\u00a0day" if count < 2 else f"{count:.0f}\u00a0days"


def _moment(at: datetime | None) -> str:
    """`2026-11-28 03:00`, with seconds where there are any; a dash where there is none."""
    if at is None:
        return "\N{EN DASH}"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}".removesuffix(":00")


def _anchor(id: str) -> str:
    return "check-" + "".join(letter if letter.isalnum() else "-" for letter in id)


def _breakable(text: str) -> Markup:
    """A name that may break after its dots, dashes and slashes."""
    escaped = str(Markup.escape(text))
    for sign in ("/", ".", "@"):
        escaped = escaped.replace(sign, f"{sign}<wbr>")
    return Markup(escaped)
