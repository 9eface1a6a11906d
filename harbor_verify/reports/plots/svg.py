"""From a figure of matplotlib to SVG inside a page.

A figure is drawn in ink of its own for each meaning (`INK`); in the SVG each ink is a CSS variable of the page, so
that one figure serves both colour schemes and paper. One point of the figure is one CSS pixel.
"""

import io
import re

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

MEANINGS = (
    "ink",
    "muted",
    "grid",
    "surface",
    "ok",
    "fail",
    "unknown",
    "shade",
    "pod",
    *(f"series-{number}" for number in range(1, 9)),
)
INK = {name: f"#0f{number:02x}f{number % 10}" for number, name in enumerate(MEANINGS, start=16)}
FONT_PX = 12

_SETTINGS = {
    "svg.fonttype": "none",
    "font.size": FONT_PX,
    "text.color": INK["ink"],
    "axes.edgecolor": INK["grid"],
    "axes.labelcolor": INK["muted"],
    "xtick.color": INK["muted"],
    "ytick.color": INK["muted"],
    "grid.color": INK["grid"],
    "hatch.linewidth": 1.2,
    "path.simplify": True,
}


def figure(width_px: float, height_px: float) -> Figure:
    """An empty figure of this size, without a background."""
    with mpl.rc_context(_SETTINGS):
        made = Figure(figsize=(width_px / 72, height_px / 72), dpi=72)
    made.patch.set_visible(False)
    return made


def settings() -> mpl.rc_context:
    """In this context axes are made and drawn on."""
    return mpl.rc_context(_SETTINGS)


def inline(drawn: Figure, *, name: str, title: str) -> Markup:
    """The figure as an <svg> element. `name` keeps its ids apart from those of other figures in the page."""
    stream = io.StringIO()
    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with mpl.rc_context({**_SETTINGS, "svg.hashsalt": name}):
        FigureCanvasSVG(drawn).print_svg(stream, metadata=nothing)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    # It would hold for the whole page; the page says the same of plots only.
    text = re.sub(r"<style.*?</style>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    for meaning, colour in INK.items():
        text = text.replace(colour, f"var(--{meaning})")
    text = re.sub(
        r"font: (?:[^;\"']|'[^']*')*?(\d+(?:\.\d+)?px)(?: [^;\"]*)?(?=[;\"])", r"font-size: \1", text
    )
    text = re.sub(r"\n\s*", "\n", text)
    width, height = (float(size) for size in re.search(r'viewBox="0 0 (\S+) (\S+)"', text).groups())
    opening = (
        f'<svg class="plot" role="img" aria-label="{escape(title)}" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}">'
    )
    # What matplotlib wrote escapes its own text.
    return Markup(re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1))
