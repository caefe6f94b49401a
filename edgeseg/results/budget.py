"""The search for the cheapest int8 file within a budget of Dice."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION, LatencyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DiceDrop:
    """The mean Dice that an artifact loses against its float parent, patient by patient.

    `bound` is the one-sided 95 % upper bound of the mean, from a bootstrap over patients.
    """

    patients: int
    mean: float
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedPoint:
    """One recipe that was converted and scored on the search patients.

    `latency` was measured in turns with the build's artifacts; None where it was not.
    """

    recipe: str
    float_layers: tuple[str, ...]
    size_bytes: int
    sha256: str
    drop: DiceDrop
    holds: bool
    latency: LatencyResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetResult:
    """What was tried for one target, in the order of cost, and what was taken.

    `chosen` is the recipe of the first point that holds on the search patients, or the one with the smallest bound
    where none does. `confirmation` is its drop on patients that the search never looked at.
    """

    target: str
    max_drop: float
    tried: tuple[TriedPoint, ...]
    chosen: str
    found: bool
    confirmation: DiceDrop
    confirmed: bool
    seed: int
    schema_version: int = RESULT_SCHEMA_VERSION

    def describe(self) -> str:
        """Say in a sentence what was taken and whether the budget holds."""
        taken = next(point for point in self.tried if point.recipe == self.chosen)
        searched = (
            f"{self.target}: {self.chosen} {_change(taken.drop)} on n = {taken.drop.patients} search patients, and "
            f"{_change(self.confirmation)} on n = {self.confirmation.patients} others; "
        )
        if not self.found:
            return f"{searched}it is the closest of {len(self.tried)}, and the budget is {self.max_drop:g}"
        held = "confirmed" if self.confirmed else "not confirmed"
        return f"{searched}the budget of {self.max_drop:g} is {held}"


def _change(drop: DiceDrop) -> str:
    what = "gains" if drop.mean < 0 else "loses"
    return f"{what} {abs(drop.mean):.4f} Dice (95 % sure to lose at most {drop.bound:.4f})"
