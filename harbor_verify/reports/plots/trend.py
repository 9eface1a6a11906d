"""Figures of failover checks from run to run, so that drift is seen before it is a failure."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from harbor_verify.reports import figures
from harbor_verify.reports.model import Run
from harbor_verify.reports.plots import svg
from harbor_verify.reports.plots.disruption import MARKERS
from harbor_verify.reports.plots.svg import INK

NAMES = ("outage_ms", "slowest_ok_ms", "recovery_ms")
FEWEST_RUNS = 3
WIDTH_PX, HEIGHT_PX = 1040, 210
_LEFT_PX, _GAP_PX, _TOP_PX, _BOTTOM_PX = 58, 62, 30, 34


@dataclass(frozen=True)
class Trend:
    """The plot, and whose marks are in it, in the order of MARKERS."""

    svg: Markup
    checks: list[str]
    runs_count: int


def draw(runs: Sequence[Run], *, name: str) -> Trend | None:
    """The trend over the runs, the oldest first; None when there is too little to show."""
    measured = [{result.id: result.measured for result in run.results} for run in runs]
    checks = sorted(
        {id for run in measured for id, given in run.items() if any(each in given for each in NAMES)}
    )
    if len(runs) < FEWEST_RUNS or not checks:
        return None
    figure = svg.figure(WIDTH_PX, HEIGHT_PX)
    wide_px = (WIDTH_PX - _LEFT_PX - 2 * _GAP_PX - 14) / len(NAMES)
    with svg.settings():
        for column, figure_name in enumerate(NAMES):
            left_px = _LEFT_PX + column * (wide_px + _GAP_PX)
            tall_px = HEIGHT_PX - _TOP_PX - _BOTTOM_PX
            box = (left_px / WIDTH_PX, _BOTTOM_PX / HEIGHT_PX, wide_px / WIDTH_PX, tall_px / HEIGHT_PX)
            axes = figure.add_axes(box)
            _frame(axes, figure_name, runs)
            for number, check in enumerate(checks):
                _line(axes, number, [run.get(check, {}).get(figure_name) for run in measured])
            axes.set_ylim(0, max(axes.get_ylim()[1], 100))
    title = f"Outages, slowest answers and recovery over {len(runs)} runs"
    return Trend(svg.inline(figure, name=name, title=title), checks, len(runs))


def _frame(axes: Axes, name: str, runs: Sequence[Run]) -> None:
    axes.set_facecolor("none")
    axes.set_title(f"{figures.words(name)}, ms", loc="left", fontsize=svg.FONT_PX, color=INK["ink"], pad=10)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_xlim(-0.3, len(runs) - 0.7)
    ends = [0, len(runs) - 1]
    axes.set_xticks(ends, [f"{runs[0].started:%d %b %H:%M}", "this run"])
    first, last = axes.get_xticklabels()
    first.set_ha("left")
    last.set_ha("right")
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.grid(axis="y", linewidth=0.7)
    axes.tick_params(length=0, pad=5)
    axes.set_axisbelow(True)


def _line(axes: Axes, number: int, values: Sequence[float | None]) -> None:
    points = [(at, value) for at, value in enumerate(values) if isinstance(value, int | float)]
    if points:
        axes.plot(
            *zip(*points, strict=True),
            marker=MARKERS[number % len(MARKERS)],
            color=INK[f"series-{number % len(MARKERS) + 1}"],
            markersize=6,
            markeredgewidth=0,
            linewidth=1.3,
        )
