"""Space by the looks of earlier runs, drawn on until it is used up; and what ends, by the days that are left."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from harbor_verify.reports.ahead import End, Volume
from harbor_verify.reports.plots import svg
from harbor_verify.reports.plots.svg import INK

WIDTH_PX = 1040
_COLUMNS, _TALL_PX, _GAP_PX, _LEFT_PX, _TOP_PX, _BOTTOM_PX = 3, 118, 64, 44, 30, 26
_ROOM = 0.3
"""Of a plot's width, that words below it need."""
_MOST = 6
"""Of volumes."""
_FARTHEST = timedelta(days=90)
"""So far the line is drawn on."""
_ROW_PX, _LABELS_PX, _AXIS_PX = 40, 120, 30
_DAYS = (0, 1, 7, 30, 90, 365, 3650)
_WORDS = ("now", "1 day", "7 days", "30 days", "90 days", "1 year", "10 years")


def space(volumes: Sequence[Volume], *, name: str) -> Markup | None:
    """Percent over time, for each volume that was looked at before, those that are fullest; None: none was."""
    drawn = [volume for volume in volumes if len(volume.looks) > 1][:_MOST]
    if not drawn:
        return None
    rows = -(-len(drawn) // _COLUMNS)
    cell_px = _TOP_PX + _TALL_PX + _BOTTOM_PX
    height_px = rows * cell_px
    wide_px = (WIDTH_PX - _COLUMNS * _LEFT_PX - 14) / _COLUMNS - (_GAP_PX - _LEFT_PX)
    figure = svg.figure(WIDTH_PX, height_px)
    with svg.settings():
        for number, volume in enumerate(drawn):
            row, column = divmod(number, _COLUMNS)
            left_px = _LEFT_PX + column * (wide_px + _GAP_PX)
            bottom_px = height_px - (row + 1) * cell_px + _BOTTOM_PX
            box = (
                left_px / WIDTH_PX,
                bottom_px / height_px,
                wide_px / WIDTH_PX,
                _TALL_PX / height_px,
            )
            _volume(figure.add_axes(box), volume)
    return svg.inline(figure, name=name, title="How much of each volume is used, over time")


def _volume(axes: Axes, volume: Volume) -> None:
    axes.set_facecolor("none")
    axes.set_title(_shortened(volume.name), loc="left", fontsize=svg.FONT_PX, color=INK["ink"], pad=8)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    ink = INK["fail"] if volume.is_too_full else INK["series-1"]
    size = volume.size_bytes or 1
    first, last = volume.looks[0][0], volume.looks[-1][0]
    points = [(_days(at, last), min(100.0, 100 * used / size)) for at, used in volume.looks]
    end_days = 0.0
    if volume.lasts_days is not None:
        end_days = min(volume.lasts_days, _FARTHEST / timedelta(days=1))
        rate = (100 - volume.percent) / volume.lasts_days if volume.lasts_days else 0.0
        axes.plot(
            [0, end_days],
            [volume.percent, volume.percent + rate * end_days],
            color=ink,
            linewidth=1.3,
            linestyle=(0, (3, 3)),
        )
    axes.axhline(volume.full_percent, color=INK["muted"], linewidth=0.8, linestyle=(0, (1, 2)))
    axes.plot(
        *zip(*points, strict=True), color=ink, marker="o", markersize=4, markeredgewidth=0, linewidth=1.5
    )
    begin_days = _days(first, last)
    margin_days = max(0.02 * (end_days - begin_days), 0.01)
    axes.set_xlim(begin_days - margin_days, end_days + margin_days)
    axes.set_ylim(0, 104)
    ticks, words = [begin_days], [f"{first:%d %b}"]
    if not end_days or _ROOM < -begin_days / (end_days - begin_days) < 1 - _ROOM:
        ticks, words = [*ticks, 0.0], [*words, "this run"]
    if end_days:
        ticks, words = [*ticks, end_days], [*words, f"{last + timedelta(days=end_days):%d %b}"]
    axes.set_xticks(ticks, words)
    labels = axes.get_xticklabels()
    labels[0].set_ha("left")
    labels[-1].set_ha("right")
    axes.set_yticks([0, 50, 100])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.grid(axis="y", linewidth=0.7)
    axes.tick_params(length=0, pad=5)
    axes.set_axisbelow(True)


def ends(found: Sequence[End], *, name: str) -> Markup | None:
    """A dot for each, by its kind and the days that are left, on a scale on which the next weeks have most room."""
    if not found:
        return None
    kinds = list(dict.fromkeys(end.kind for end in found))
    height_px = _ROW_PX * len(kinds) + _AXIS_PX
    figure = svg.figure(WIDTH_PX, height_px)
    wide_px = WIDTH_PX - _LABELS_PX - 40
    box = (_LABELS_PX / WIDTH_PX, _AXIS_PX / height_px, wide_px / WIDTH_PX, 1 - _AXIS_PX / height_px)
    with svg.settings():
        axes = figure.add_axes(box)
        axes.set_facecolor("none")
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.set_xscale("symlog", linthresh=1, linscale=0.35)
        axes.set_xlim(-0.4, _DAYS[-1] * 1.3)
        axes.set_ylim(len(kinds) - 0.5, -0.5)
        for end in found:
            axes.plot(
                [min(max(end.days, 0.0), _DAYS[-1])],
                [kinds.index(end.kind)],
                marker="D" if end.is_near else "o",
                color=INK["fail"] if end.is_near else INK["ok"],
                markersize=9,
                markeredgewidth=0,
                clip_on=False,
            )
        axes.xaxis.set_major_locator(FixedLocator(list(_DAYS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(list(_DAYS), list(_WORDS))
        axes.set_yticks(range(len(kinds)), [f"{kind}s".replace("ys", "ies") for kind in kinds])
        axes.grid(axis="both", linewidth=0.7)
        axes.tick_params(length=0, pad=6)
        axes.set_axisbelow(True)
    return svg.inline(figure, name=name, title="What ends, by the days that are left")


def _days(at: datetime, last: datetime) -> float:
    return (at - last) / timedelta(days=1)


def _shortened(name: str) -> str:
    return name if len(name) <= 36 else f"{name[:35]}…"
