"""What an artifact costs against how good it is: size or latency along the bottom, Dice with its interval upwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.reports.page import svg
from edgeseg.results import ArtifactRow, BudgetResult, EvalResult, TriedPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEAR = 1.4
"""Points whose costs differ by less than this factor would print their names over each other."""
_LINE_PT = 10
_AXES_PT = 180
"""About how high the axes are."""
_SHAPES = "osD^vPX<>p*"
"""One for each network."""
_LEGEND_IN = 0.2
"""How high a line of the legend is."""
_FLOOR = 0.08
"""How much of the height stays free below the lowest interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One artifact on the plane; `rejected` ones are shown and never on the frontier. An empty name is not printed."""

    name: str
    network: str
    cost: float
    dice: float
    low: float
    high: float
    precision: str
    rejected: bool


def points(rows: Sequence[ArtifactRow], cost: Callable[[ArtifactRow], float | None]) -> tuple[Point, ...]:
    """Take the artifacts whose cost and Dice were both measured."""
    found = []
    for row in rows:
        spent = cost(row)
        if spent is None or row.evaluation is None:
            continue
        dice = row.evaluation.dice
        found.append(
            Point(
                name=row.target,
                network=row.label,
                cost=spent,
                dice=dice.mean,
                low=dice.low,
                high=dice.high,
                precision="int8" if "int" in row.target else "float",
                rejected=row.parity is not None and not row.parity.passed,
            )
        )
    return tuple(found)


def tried_points(
    budgets: Sequence[BudgetResult], reference: EvalResult, cost: Callable[[TriedPoint], float | None]
) -> tuple[Point, ...]:
    """Take what searches within a budget rejected: at the float network's Dice less what was lost on search patients.

    The interval reaches down to the one-sided 95 % bound, so that it crosses the line of the budget where the point
    was rejected for it; it has no upper half.
    """
    found = []
    for searched in budgets:
        for point in searched.tried:
            spent = cost(point)
            if point.recipe == searched.chosen or spent is None:
                continue
            dice = reference.dice.mean - point.drop.mean
            low = min(dice, reference.dice.mean - point.drop.bound)
            found.append(
                Point(name="", network="", cost=spent, dice=dice, low=low, high=dice, precision="int8", rejected=True)
            )
    return tuple(found)


def frontier(found: Sequence[Point]) -> tuple[Point, ...]:
    """Return the points that no other one beats in both cost and Dice, by rising cost; rejected ones are left out."""
    line: list[Point] = []
    for point in sorted((p for p in found if not p.rejected), key=lambda p: (p.cost, -p.dice)):
        if not line or point.dice > line[-1].dice:
            line.append(point)
    return tuple(line)


def plot(found: Sequence[Point], *, cost: str, budget: float | None, salt: str) -> str:
    """Draw the plane as SVG.

    Where there are several networks each has a shape of its own, and only the points of the frontier print their names.

    Args:
        found: at least one point.
        cost: the label of the axis, with its unit; the axis is logarithmic.
        budget: the least Dice that is allowed, None for no line.
        salt: see `svg.inline`.
    """
    networks = list(dict.fromkeys(p.network for p in found if p.network))
    drawn, axes = svg.figure(6.4, 3.6 if len(networks) == 1 else 3.6 + _LEGEND_IN * len(networks))
    line = frontier(found)
    axes.plot([p.cost for p in line], [p.dice for p in line], color=svg.MUTED, linewidth=1.2, linestyle="--")
    for (shape, network), (precision, colour) in itertools.product(
        zip(itertools.cycle(_SHAPES), networks, strict=False), (("float", svg.FLOAT), ("int8", svg.INT8))
    ):
        here = [p for p in found if (p.network, p.precision, p.rejected) == (network, precision, False)]
        _markers(axes, here, colour, precision if len(networks) == 1 else f"{network}, {precision}", marker=shape)
    _markers(axes, [p for p in found if p.rejected], svg.POOR, "rejected", marker="x")
    if budget is not None:
        axes.axhline(budget, color=svg.POOR, linewidth=1.0, linestyle=":", label="budget")
    named = [point for point in (found if len(networks) == 1 else line) if point.name]
    levels = _levels(named)
    for point, level in zip(named, levels, strict=True):
        axes.annotate(
            point.name,
            (point.cost, point.high),
            xytext=(0, 4 + _LINE_PT * level),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=8,
            color=svg.INK,
        )
    svg.plain_log(axes)
    axes.margins(x=0.14)
    _make_room(axes, found, names=max(levels, default=0) + 1)
    axes.set(xlabel=cost, ylabel="Dice, mean over patients [95 %]")
    svg.legend(
        axes, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4 if len(networks) == 1 else 2, borderaxespad=0.1
    )
    return svg.inline(drawn, salt=salt, title=f"Dice against {cost}")


def _make_room(axes: Axes, found: Sequence[Point], *, names: int) -> None:
    """Leave place above the highest interval for that many lines of names."""
    low, high = min(p.low for p in found), max(p.high for p in found)
    share = min(0.6, (_LINE_PT * (names + 1)) / _AXES_PT)
    whole = max(high - low, 0.01) / (1.0 - share - _FLOOR)
    axes.set_ylim(low - _FLOOR * whole, low + (1.0 - _FLOOR) * whole)


def _markers(axes: Axes, found: Sequence[Point], colour: str, label: str, *, marker: str = "o") -> None:
    if not found:
        return
    reach = [[p.dice - p.low for p in found], [p.high - p.dice for p in found]]
    axes.errorbar(
        [p.cost for p in found],
        [p.dice for p in found],
        yerr=reach,
        fmt=marker,
        color=colour,
        markersize=6,
        elinewidth=1.0,
        capsize=2.5,
        label=label,
    )


def _levels(found: Sequence[Point]) -> list[int]:
    """Say for each point how many lines its name is raised, so that neighbours do not print over each other."""
    levels = [0] * len(found)
    order = sorted(range(len(found)), key=lambda i: found[i].cost)
    for before, here in itertools.pairwise(order):
        if found[here].cost < _NEAR * found[before].cost:
            levels[here] = levels[before] + 1
    return levels
