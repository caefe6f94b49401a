"""Where the bytes went: from the file with Adam's state down to the artifact, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence

from edgeseg.reports.page import svg
from edgeseg.results import SizeStep


def plot(steps: Sequence[SizeStep], *, salt: str) -> str:
    """Draw the steps of a size ledger as SVG; each bar is what is left after its step.

    Args:
        steps: the first is the file that everything starts from.
        salt: see `svg.inline`.
    """
    drawn, axes = svg.figure(6.4, 0.42 * len(steps) + 0.9)
    sizes = [step.size_bytes / 1e6 for step in steps]
    places = list(range(len(steps)))
    colours = [svg.OTHER, *[svg.FLOAT] * (len(steps) - 2), svg.INT8]
    axes.barh(places, sizes, color=colours, height=0.62)
    for place, before, size in zip(places[1:], sizes, sizes[1:], strict=False):
        axes.plot([size, before], [place - 0.5, place - 0.5], color=svg.MUTED, linewidth=0.8)
    for place, step in zip(places, steps, strict=True):
        axes.annotate(
            f"{step.size_bytes / 1e6:,.3g} MB",
            (sizes[place], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=svg.INK,
        )
    svg.plain_log(axes)
    axes.set_xlim(min(sizes) / 2.5, max(sizes) * 4)
    axes.set_yticks(places, [step.name for step in steps])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="size, MB (logarithmic)")
    return svg.inline(drawn, salt=salt, title="Size, step by step")
