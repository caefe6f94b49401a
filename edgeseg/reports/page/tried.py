"""What a search within a budget tried: size or latency along the bottom, Dice against the float network upwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edgeseg.reports.page import svg
from edgeseg.results import BudgetResult, DiceDrop, TriedPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OTHERS = "D"
_HOLLOW: dict[str, Any] = {"markerfacecolor": "none", "markersize": 10, "markeredgewidth": 1.4}
"""How the patients that the search never looked at are drawn: around the point, with a dash at their bound."""
Cost = Callable[[TriedPoint], float | None]


def plot(searched: BudgetResult, cost: Cost, *, label: str, salt: str) -> str | None:
    """Draw every point that was tried, numbered in the order of cost, as SVG; None where no cost was measured.

    Each bar reaches from the mean down to the one-sided 95 % bound; a point holds where the bar ends above the budget.

    Args:
        searched: the search.
        cost: of a point, None where it was not measured.
        label: of the axis, with its unit.
        salt: see `svg.inline`.
    """
    known = [(n, point, spent) for n, point in enumerate(searched.tried, 1) if (spent := cost(point)) is not None]
    if not known:
        return None
    drawn, axes = svg.figure(6.4, 3.2)
    for number, point, spent in known:
        taken = point.recipe == searched.chosen
        _mark(axes, spent, point.drop, marker="o" if taken else "x", colour=svg.INT8 if taken else svg.POOR)
        axes.annotate(
            str(number),
            (spent, -point.drop.mean),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=svg.INK,
        )
        if taken:
            axes.plot(spent, -searched.confirmation.mean, _OTHERS, color=_verdict(searched), **_HOLLOW)
            axes.plot(spent, -searched.confirmation.bound, "_", color=_verdict(searched), markersize=14)
    axes.axhline(0.0, color=svg.MUTED, linewidth=1.0)
    axes.axhline(-searched.max_drop, color=svg.POOR, linewidth=1.2, linestyle=":")
    svg.plain_axis(axes, [spent for _, _, spent in known])
    axes.margins(y=0.2)
    axes.set(xlabel=label, ylabel="Dice against the float network")
    _legend(axes, searched, rejected=any(point.recipe != searched.chosen for _, point, _ in known))
    return svg.inline(drawn, salt=salt, title=f"Tried for {searched.target}: Dice against {label}")


def _verdict(searched: BudgetResult) -> str:
    return svg.GOOD if searched.confirmed else svg.POOR


def _mark(axes: Axes, spent: float, drop: DiceDrop, *, marker: str, colour: str) -> None:
    reach = [[max(0.0, drop.bound - drop.mean)], [0.0]]
    axes.errorbar(
        [spent], [-drop.mean], yerr=reach, fmt=marker, color=colour, markersize=6, elinewidth=1.0, capsize=2.5
    )


def _legend(axes: Axes, searched: BudgetResult, *, rejected: bool) -> None:
    """Say what the marks mean, each once."""
    entries = [("o", svg.INT8, f"taken, n = {searched.tried[0].drop.patients}")]
    entries += [("x", svg.POOR, "rejected")] if rejected else []
    for marker, colour, label in entries:
        axes.plot([], [], marker, color=colour, markersize=6, label=label)
    axes.plot([], [], _OTHERS, color=_verdict(searched), label=f"on {searched.confirmation.patients} others", **_HOLLOW)
    axes.plot([], [], ":", color=svg.POOR, linewidth=1.2, label=f"budget {searched.max_drop:g}")
    svg.legend(axes, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, borderaxespad=0.1, columnspacing=1.0)
