"""Plots as SVG that takes its colours from the page around it, so that they are right in light, dark and print."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edgeseg.errors import MissingExtraError
from edgeseg.reports.escape import plain_texts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, RULE, GOOD, POOR, FLOAT, INT8, OTHER = (f"#0000{code:02x}" for code in range(0xA0, 0xA8))
"""Stand-ins that matplotlib draws with; each becomes the page's variable of the same name."""
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    RULE: "var(--rule)",
    GOOD: "var(--good)",
    POOR: "var(--poor)",
    FLOAT: "var(--float)",
    INT8: "var(--int8)",
    OTHER: "var(--other)",
}
_FONT_PX = 10
_PROLOGUE = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"<metadata>.*?</metadata>\s*", re.DOTALL)


def figure(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """Return an empty figure and its axes in the page's style.

    Raises:
        MissingExtraError: when matplotlib is absent.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("matplotlib", "build", "the plots of the HTML report") from error
    drawn = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = drawn.add_subplot()
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(RULE)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=_FONT_PX - 1, which="both")
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
    axes.set_axisbelow(True)
    axes.grid(visible=True, color=RULE, linewidth=0.6)
    return drawn, axes


def plain_log(axes: Axes) -> None:
    """Make the horizontal axis logarithmic, with ticks at 1, 2 and 5 written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def plain_axis(axes: Axes, values: Sequence[float]) -> None:
    """Make the horizontal axis linear around values that lie close together, with a margin for their names."""
    low, high = min(values), max(values)
    room = max(0.12 * (high - low), 0.04 * high)
    axes.set_xlim(low - room, high + room)


def legend(axes: Axes, **options: Any) -> None:
    """Draw a legend without a frame in the page's ink, where anything is labelled."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, labelcolor=INK, fontsize=_FONT_PX - 1, **options)


def inline(drawn: Figure, *, salt: str, title: str) -> str:
    """Return the figure as `<svg>`, the same bytes for the same figure.

    Args:
        drawn: drawn with the stand-in colours of this module.
        salt: makes the ids in this SVG differ from those of others on the page.
        title: what a screen reader says.
    """
    from matplotlib import rc_context

    stream = io.StringIO()
    plain_texts(drawn)
    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": salt,
        "font.family": "sans-serif",
        "font.size": _FONT_PX,
    }
    with rc_context(settings):
        drawn.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = _METADATA.sub("", _PROLOGUE.sub("", stream.getvalue()))
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    for mark in ('id="', 'href="#', "url(#"):
        text = text.replace(mark, f"{mark}{salt}-")
    label = title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
