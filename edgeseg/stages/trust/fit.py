"""Fitting the few numbers of `edgeseg.specs.OutputTrust` on patients that the networks had not learned from.

How much a feature counts is found over the patients of all networks, by a fractional logistic regression of the Dice on
what a patient's features differ from those that are usual for the network that drew the mask (Papke and Wooldridge,
Journal of Applied Econometrics 11(6), 1996), with a ridge. What is usual for a network, and the Dice that goes with it,
is settled on the patients that this network held out itself: a longer training makes sharper borders, not better masks.
The volume's interval is split-conformal (Papadopoulos and others, ECML 2002), its errors divided by what is expected to
be wrong with the mask, the two ends by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics.reliability import platt
from edgeseg.results.trust import POOR_BELOW
from edgeseg.specs import OutputTrust, TrustFeature
from edgeseg.specs.trust import BORDER, TRUST_FEATURES
from edgeseg.trust import OutputCounts, features, judge

LOW, MIDDLE, HIGH = 0.3, 0.5, 0.85
COVERAGE = 0.9
RIDGE = 1.0
_STEPS = 50
_DIGITS = 6
_NO_FLAG_SHARE = 0.1
_LEAST_SLOPE, _MOST_MOVED = 0.01, 2.0


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PatientOutput:
    """What a network that had not learned from a patient drew.

    Attributes:
        patient: their id.
        group: the number of the group that is left out together.
        run: the SHA-256 of the weights that drew the mask.
        dice: of the mask at the operating point, post-processed, on the network's grid.
        volume_px: pixels of the mask.
        reference_px: pixels of the reference.
        counts: of the logits.
        histogram: `(B, 2) int64`, of `edgeseg.metrics.reliability.count_logits`.
    """

    patient: str
    group: int
    run: str
    dice: float
    volume_px: int
    reference_px: int
    counts: OutputCounts
    histogram: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What stands in the numbers beside what is fitted."""

    threshold: float
    network: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What was found over the patients of several networks.

    Attributes:
        names: of the features.
        weights: of the features, in this order.
        intercept: where all features are usual.
        look_below: as in `OutputTrust`.
        volume_low: likewise.
        volume_high: likewise.
        patients: how many it was fitted on.
        groups: how many groups these are.
        origin: what else there is to say.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float
    patients: int
    groups: int
    origin: Origin
    look_below: float = POOR_BELOW
    volume_low: float = 0.0
    volume_high: float = 0.0

    def settled(self, own: Sequence[PatientOutput]) -> OutputTrust | None:
        """Return the numbers for a network, of which `own` are held-out patients; None where none of them has a mask.

        What is usual is their mean; the intercept is moved so that the mean of what is expected is that of their Dice.
        """
        rated = [(values, row) for row in own if (values := features(row.counts)) is not None]
        if not rated:
            return None
        table = np.array([[values[name] for name in self.names] for values, _ in rated])
        typical = table.mean(axis=0)
        moved = _moved(self.intercept + (table - typical) @ self.weights, np.array([row.dice for _, row in rated]))
        slope, offset = platt(np.sum([row.histogram for row in own], axis=0))
        return OutputTrust(
            low=LOW,
            middle=MIDDLE,
            high=HIGH,
            intercept=_short(self.intercept + moved),
            features=tuple(
                TrustFeature(name=name, weight=_short(weight), typical=_short(mean))
                for name, weight, mean in zip(self.names, self.weights, typical, strict=True)
            ),
            look_below=_short(self.look_below),
            volume_low=_short(self.volume_low),
            volume_high=_short(self.volume_high),
            coverage=COVERAGE,
            slope=_short(max(slope, _LEAST_SLOPE)),
            offset=_short(offset),
            threshold=self.origin.threshold,
            patients=self.patients,
            groups=self.groups,
            network=self.origin.network,
            data=self.origin.data,
        )


def fit(rows: Sequence[PatientOutput], origin: Origin) -> Fitted | None:
    """Fit on all; None where fewer than two patients of two groups have anything to rate.

    What rests on the expected Dice (when to look, the interval) rests on that which the other groups' fit expects,
    settled on the network's other patients.
    """
    expected: dict[str, float] = {}
    for group in sorted({row.group for row in rows}):
        part = _regressed([row for row in rows if row.group != group], origin)
        if part is None:
            return None
        for row in (row for row in rows if row.group == group):
            numbers = part.settled(others_of(row, rows))
            dice = None if numbers is None else judge(row.counts, numbers).dice_expected
            expected |= {} if dice is None else {row.patient: dice}
    whole = _regressed(rows, origin)
    return None if whole is None else _completed(whole, rows, expected)


def others_of(row: PatientOutput, rows: Sequence[PatientOutput]) -> list[PatientOutput]:
    """Return the other patients of the same network; all others where there is none."""
    others = [one for one in rows if one.patient != row.patient]
    return [one for one in others if one.run == row.run] or others


def _regressed(rows: Sequence[PatientOutput], origin: Origin) -> Fitted | None:
    """Find how much each feature counts; the rest is filled in later."""
    rated = [(values, row) for row in rows if (values := features(row.counts)) is not None]
    if len(rated) < 2:
        return None
    dice, runs = np.array([row.dice for _, row in rated]), np.array([row.run for _, row in rated])
    names = list(TRUST_FEATURES)
    while True:
        table = np.array([[values[name] for name in names] for values, _ in rated])
        for run in np.unique(runs):
            table[runs == run] -= table[runs == run].mean(axis=0)
        intercept, weights = _logistic(table, dice)
        wrong = [name for name, weight in zip(names, weights, strict=True) if (weight < 0) != (name == BORDER)]
        if not wrong or len(names) == 1:
            break
        names = [name for name in names if name not in wrong] or [BORDER]
    return Fitted(
        names=tuple(names),
        weights=tuple(map(float, weights)),
        intercept=intercept,
        patients=len(rows),
        groups=len({row.group for row in rows}),
        origin=origin,
    )


def _completed(fitted: Fitted, rows: Sequence[PatientOutput], expected: dict[str, float]) -> Fitted:
    rated = [row for row in rows if row.patient in expected]
    scaled = [
        (row.reference_px / row.volume_px - 1.0) / (1.0 - expected[row.patient]) for row in rated if row.volume_px
    ]
    return replace(
        fitted,
        look_below=look_level([(expected[row.patient], row.dice) for row in rated]),
        volume_low=max(0.0, conformal([-one for one in scaled], (1.0 - COVERAGE) / 2)),
        volume_high=max(0.0, conformal(scaled, (1.0 - COVERAGE) / 2)),
    )


def conformal(errors: Sequence[float], miss: float) -> float:
    """Return what the error of the next patient exceeds with a chance of at most `miss`: one of those given.

    It is the one of rank `ceil((n + 1) * (1 - miss))`, the greatest where there are too few.
    """
    rank = math.ceil((len(errors) + 1) * (1.0 - miss))
    return sorted(errors)[min(rank, len(errors)) - 1] if errors else 0.0


def look_level(pairs: Sequence[tuple[float, float]]) -> float:
    """Return the expected Dice below which to look: where the share of poor masks found less that of good ones is most.

    That is Youden's index (Cancer 3(1), 1950); levels lie half way between two patients, and of equal ones the higher
    is taken. Where no mask is poor, the tenth with the least expected Dice is to be looked at.

    Args:
        pairs: expected and true Dice of each patient.
    """
    expected = sorted(dice for dice, _ in pairs)
    levels = [(before + after) / 2 for before, after in pairwise(expected)]
    poor = [dice for dice, true in pairs if true < POOR_BELOW]
    good = [dice for dice, true in pairs if true >= POOR_BELOW]
    if not levels or not poor or not good:
        place = max(0, round(_NO_FLAG_SHARE * len(levels)) - 1)
        return levels[place] if levels else POOR_BELOW

    def gain(level: float) -> tuple[float, float]:
        found, wrong = sum(one < level for one in poor) / len(poor), sum(one < level for one in good) / len(good)
        return found - wrong, level

    return max(levels, key=gain)


def _logistic(table: NDArray[np.float64], dice: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Fit a logistic curve by Newton's method to features whose means are 0: intercept, and weights.

    The ridge is in units of the features' spread.
    """
    spread = table.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(table)), table / spread])
    penalty = np.diag([1e-3, *[RIDGE] * table.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-design @ found))
        slope = design.T @ (dice - p) - penalty @ found
        bend = (design * (p * (1.0 - p))[:, np.newaxis]).T @ design + penalty
        step = np.linalg.solve(bend, slope)
        found = found + step
        if np.abs(step).max() < 1e-10:
            break
    return float(found[0]), found[1:] / spread


def _moved(scores: NDArray[np.float64], dice: NDArray[np.float64]) -> float:
    """Return by how much scores have to move so that the mean of their logistic is that of the Dice; at most by 2."""
    low, high = -_MOST_MOVED, _MOST_MOVED
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if float((1.0 / (1.0 + np.exp(-(scores + middle)))).mean()) < float(dice.mean()):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _short(value: float) -> float:
    """Keep as many digits as mean anything."""
    return float(f"{value:.{_DIGITS}g}")
