"""One disruption over time: what became of the pods, what each client got, how long answers took.

The words beside the lanes are the page's, not the plot's: they stay where they are when a wide plot is scrolled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import FuncFormatter, NullFormatter

from harbor_verify.history import History, Operation, Outage, Outcome, pods
from harbor_verify.reports.plots import svg
from harbor_verify.reports.plots.svg import INK

WIDTH_PX = 900
FLAGS_PX, LANE_PX, AXIS_PX, LATENCY_PX, GAP_PX = 40, 32, 28, 132, 10
EDGE_PX = 10
CHARACTER_PX = 6.6
"""How wide a letter is, about: words that stand too near each other go into two rows."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Of kinds of operations, in the order of their names; the page's legend has the same."""


@dataclass(frozen=True)
class Row:
    """Words that belong beside the plot, over this height."""

    height_px: int
    label: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Plot:
    """The drawn plot; the rows' heights add up to its own."""

    svg: Markup
    rows: list[Row]
    kinds: list[str]
    width_px: int = WIDTH_PX


@dataclass(frozen=True)
class Flag:
    """A moment that everything is to be seen against."""

    at_s: float
    text: str
    style: str


def draw(
    history: History, outages: Mapping[str, Sequence[Outage]], clients: Sequence[str], *, name: str
) -> Plot:
    """A plot of a history with a lane for each of `clients`, whose operations and outages are those that are drawn.

    Seconds on it are counted from the first injection. `name` is an id for the page.
    """
    lanes = pods.changed(history)
    shown = [op for op in history.operations if op.client in set(clients)]
    kinds = sorted({op.kind for op in shown})
    zero_s = (history.disrupted_s or (0.0, 0.0))[0]
    begin_s, end_s = _window(history, shown)
    rows = [
        Row(FLAGS_PX, "", "seconds since the disruption"),
        *(Row(LANE_PX, pod.replica or pod.name, _pod_detail(pod)) for pod in lanes),
        *(_client_row(client, shown) for client in clients),
        Row(AXIS_PX),
    ]
    if shown:
        rows += [Row(GAP_PX), Row(LATENCY_PX, "answer time", "ms, logarithmic"), Row(AXIS_PX)]
    height_px = sum(row.height_px for row in rows)
    figure = svg.figure(WIDTH_PX, height_px)
    with svg.settings():
        count = len(lanes) + len(clients)
        top = figure.add_axes(_box(height_px, FLAGS_PX, count * LANE_PX))
        _frame(top, begin_s - zero_s, end_s - zero_s)
        top.set_ylim(count - 0.5, -0.5)
        top.set_yticks([])
        for number in range(count):
            top.axhline(number + 0.5, color=INK["grid"], linewidth=0.6, zorder=0)
        for number, pod in enumerate(lanes):
            _pod_lane(top, number, pod, zero_s)
        for number, client in enumerate(clients, start=len(lanes)):
            own = [op for op in shown if op.client == client]
            _operations(top, number, own, zero_s, end_s)
            for outage in outages.get(client, ()):
                _outage(top, number, outage, zero_s)
        flags = _flags(history, lanes, zero_s)
        panels = [top]
        if shown:
            panels.append(
                figure.add_axes(_box(height_px, FLAGS_PX + count * LANE_PX + AXIS_PX + GAP_PX, LATENCY_PX))
            )
            _frame(panels[1], begin_s - zero_s, end_s - zero_s)
            _latency(panels[1], shown, kinds, zero_s)
        for panel in panels:
            _disrupted(panel, history, flags, zero_s)
        _flag_words(top, flags, (begin_s - zero_s, end_s - zero_s))
    title = f"Operations of {len(clients)} clients over time; the figures stand in the tables below"
    return Plot(svg.inline(figure, name=name, title=title), rows, kinds)


def _window(history: History, shown: Sequence[Operation]) -> tuple[float, float]:
    """From shortly before the first injection to the last answer of who was at work, or the heal."""
    inject_s, healed_s = history.disrupted_s or (0.0, history.end_ns / 1e9)
    begin_s = min((op.begin_s for op in shown), default=inject_s)
    ends = [op.begin_s if op.end_s is None else op.end_s for op in shown]
    begin_s = max(begin_s, inject_s - max(1.0, 0.15 * (healed_s - inject_s)))
    end_s = max([*ends, healed_s])
    room_s = 0.02 * max(end_s - begin_s, 0.5)
    return min(begin_s, inject_s) - room_s, end_s + room_s


def _box(height_px: float, top_px: float, tall_px: float) -> tuple[float, float, float, float]:
    wide = 1 - 2 * EDGE_PX / WIDTH_PX
    return EDGE_PX / WIDTH_PX, 1 - (top_px + tall_px) / height_px, wide, tall_px / height_px


def _frame(axes: Axes, begin_s: float, end_s: float) -> None:
    axes.set_xlim(begin_s, end_s)
    axes.set_facecolor("none")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _seconds(value)))
    axes.tick_params(length=4, pad=3)


def _seconds(value: float) -> str:
    """0 s, +3.5 s; what is less than zero has a minus sign, not a hyphen."""
    text = f"{abs(value):.2f}".rstrip("0").rstrip(".")
    sign = "" if text == "0" else "\N{MINUS SIGN}" if value < 0 else "+"
    return f"{sign}{text} s"


def _pod_lane(axes: Axes, lane: int, pod: pods.Pod, zero_s: float) -> None:
    looks = {
        pods.READY: {"facecolor": INK["pod"], "edgecolor": INK["pod"]},
        pods.STARTING: {"facecolor": "none", "edgecolor": INK["pod"], "linestyle": (0, (3, 2))},
        pods.ENDING: {"facecolor": "none", "edgecolor": INK["pod"], "hatch": "////"},
    }
    for span in pod.spans:
        axes.barh(
            lane,
            span.end_s - span.begin_s,
            left=span.begin_s - zero_s,
            height=0.4,
            linewidth=1,
            zorder=2,
            **looks[span.state],
        )
    marks = (
        ("v", pod.endpoint_removed_s if pod.gone_s or pod.victim else None),
        ("^", pod.endpoint_added_s if not pod.victim else None),
    )
    for marker, at_s in marks:
        if at_s is not None:
            axes.plot(
                [at_s - zero_s],
                [lane],
                marker=marker,
                markersize=8,
                color=INK["ink"],
                markeredgecolor=INK["surface"],
                markeredgewidth=0.8,
                linestyle="none",
                zorder=5,
            )


def _operations(axes: Axes, lane: int, operations: Sequence[Operation], zero_s: float, end_s: float) -> None:
    """A line for as long as it took, a mark where it ended."""
    looks = {
        "ok": ("o", INK["ok"], INK["ok"], 4.2, 0),
        "fail": ("x", INK["fail"], INK["fail"], 8, 2.2),
        "info": ("D", INK["surface"], INK["unknown"], 6.5, 1.6),
        "unasked": ("s", INK["surface"], INK["muted"], 5.5, 1.2),
    }
    for what, (marker, face, edge, size, width) in looks.items():
        chosen = [op for op in operations if _what(op) == what]
        if not chosen:
            continue
        ends = [(end_s if op.end_s is None else op.end_s) - zero_s for op in chosen]
        segments = [((op.begin_s - zero_s, lane), (end, lane)) for op, end in zip(chosen, ends, strict=True)]
        axes.add_collection(
            LineCollection(segments, colors=edge, linewidths=2.4, alpha=0.35, zorder=2), autolim=False
        )
        axes.plot(
            ends,
            [lane] * len(ends),
            marker=marker,
            color=edge,
            markerfacecolor=face,
            markeredgecolor=edge,
            markersize=size,
            markeredgewidth=width,
            linestyle="none",
            zorder=3 if what == "ok" else 4,
        )


def _what(op: Operation) -> str:
    if op.ok:
        return "ok"
    if not op.asked:
        return "unasked"
    return "fail" if op.outcome is Outcome.FAIL else "info"


def _outage(axes: Axes, lane: int, outage: Outage, zero_s: float) -> None:
    axes.barh(
        lane,
        outage.outage_ms / 1e3,
        left=outage.from_ns / 1e9 - zero_s,
        height=0.7,
        facecolor="none",
        edgecolor=INK["fail"],
        hatch="\\\\\\",
        alpha=0.55,
        linewidth=1,
        zorder=1,
    )
    prefix = "≥ " if outage.begins_or_ends_unseen else ""
    first, last = axes.get_xlim()
    at = max(first, min(outage.to_ns / 1e9 - zero_s, last - 80 * (last - first) / WIDTH_PX))
    axes.annotate(
        f"{prefix}{outage.outage_ms:,.0f} ms".replace(",", "\u202f"),
        (at, lane),
        xytext=(7, 0),
        textcoords="offset points",
        color=INK["fail"],
        fontweight="bold",
        va="center",
        ha="left",
        zorder=6,
        bbox={"facecolor": INK["surface"], "edgecolor": "none", "pad": 1.5, "alpha": 0.8},
    )


def _latency(axes: Axes, operations: Sequence[Operation], kinds: Sequence[str], zero_s: float) -> None:
    for number, kind in enumerate(kinds):
        chosen = [op for op in operations if op.kind == kind and op.ok and op.longest_wait_ms]
        axes.plot(
            [(op.end_s or op.begin_s) - zero_s for op in chosen],
            [op.longest_wait_ms for op in chosen],
            marker=MARKERS[number % len(MARKERS)],
            color=INK[f"series-{number % len(MARKERS) + 1}"],
            markersize=5,
            markeredgewidth=0,
            linestyle="none",
            alpha=0.85,
            zorder=3,
        )
    lost = [op for op in operations if not op.ok and op.asked and op.longest_wait_ms]
    axes.plot(
        [op.end_s - zero_s for op in lost],
        [op.longest_wait_ms for op in lost],
        marker="x",
        color=INK["fail"],
        markersize=7,
        markeredgewidth=2,
        linestyle="none",
        zorder=4,
    )
    axes.set_yscale("log")
    waits = [op.longest_wait_ms for op in operations if op.longest_wait_ms] or [1.0]
    axes.set_ylim(min(waits) * 0.7, max(max(waits) * 1.6, min(waits) * 12))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ms"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(axis="y", which="major", linewidth=0.7, zorder=0)
    axes.tick_params(axis="y", which="both", length=0, pad=-2)
    for label in axes.get_yticklabels():
        label.set(ha="left", va="bottom", zorder=7)
        label.set_bbox({"facecolor": INK["surface"], "edgecolor": "none", "pad": 1, "alpha": 0.8})


def _flags(history: History, lanes: Sequence[pods.Pod], zero_s: float) -> list[Flag]:
    flags = []
    for each in history.disruptions():
        flags.append(Flag(each.inject.at_s - zero_s, each.name, "-"))
        if each.healed is not None:
            words = f"healed {_seconds(each.healed.at_s - each.inject.at_s)}"
            flags.append(Flag(each.healed.at_s - zero_s, words, ":"))
    flags += [
        Flag(pod.ready_s - zero_s, f"new {pod.replica} Ready {_seconds(pod.ready_s - zero_s)}", "--")
        for pod in lanes
        if pod.ready_s is not None and not pod.victim and pod.ready_s > zero_s
    ][:3]
    return sorted(flags, key=lambda flag: flag.at_s)


def _disrupted(axes: Axes, history: History, flags: Sequence[Flag], zero_s: float) -> None:
    if history.disrupted_s:
        begin_s, end_s = history.disrupted_s
        axes.axvspan(begin_s - zero_s, end_s - zero_s, color=INK["shade"], linewidth=0, zorder=-1)
    for flag in flags:
        axes.axvline(flag.at_s, color=INK["ink"], linewidth=1.4, linestyle=flag.style, zorder=1.5)


def _flag_words(axes: Axes, flags: Sequence[Flag], window: tuple[float, float]) -> None:
    """Above the lanes, in two rows where they would stand in each other's way."""
    px_per_s = (WIDTH_PX - 2 * EDGE_PX) / (window[1] - window[0])
    free_from_px = [0.0, 0.0]
    for flag in flags:
        wide_px = len(flag.text) * CHARACTER_PX + 14
        at_px = (flag.at_s - window[0]) * px_per_s
        left_px = min(at_px, (window[1] - window[0]) * px_per_s - wide_px)
        row = 0 if left_px >= free_from_px[0] else 1
        free_from_px[row] = left_px + wide_px
        axes.annotate(
            flag.text,
            (flag.at_s, -0.5),
            xytext=(left_px - at_px + (3 if left_px == at_px else 0), 6 + 15 * row),
            textcoords="offset points",
            va="bottom",
            ha="left",
            fontweight="bold" if flag.style == "-" else "normal",
            annotation_clip=False,
            # A name is no formula, whatever signs are in it.
            parse_math=False,
        )


def _pod_detail(pod: pods.Pod) -> str:
    return "deleted pod" if pod.victim else "its successor" if pod.ready_s else "pod"


def _client_row(client: str, operations: Sequence[Operation]) -> Row:
    """session-probe@front-door is what it does, and where; of who does several things in turn (web-1) both are told."""
    own = [op for op in operations if op.client == client]
    lost = sum(not op.ok for op in own)
    count = f"{len(own) - lost} ok, {lost} not" if lost else f"{len(own)} ok"
    what, at, place = client.partition("@")
    return Row(LANE_PX, what, f"{place if at else ', '.join(sorted({op.kind for op in own}))} · {count}")
