"""Fitting the few numbers of `edgeseg.specs.OutputTrust` on patients that the networks had not learned from.

The expected Dice is a fractional logistic regression on the features (Papke and Wooldridge, Journal of Applied
Econometrics 11(6), 1996) with a small ridge. A feature whose weight would say that a worse look means a better mask is
left out. The volume's interval is split-conformal (Papadopoulos and others, ECML 2002), its errors divided by what is
expected to be wrong with the mask, the two ends by themselves.
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
RIDGE = 0.1
_STEPS = 50
_DIGITS = 6
_NO_FLAG_SHARE = 0.1
_LEAST_SLOPE = 0.01


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PatientOutput:
    """What a network that had not learned from a patient drew.

    Attributes:
        patient: their id.
        group: the number of the group that is left out together.
        dice: of the mask at the operating point, post-processed, on the network's grid.
        volume_px: pixels of the mask.
        reference_px: pixels of the reference.
        counts: of the logits.
        histogram: `(B, 2) int64`, of `edgeseg.metrics.reliability.count_logits`.
    """

    patient: str
    group: int
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


def fit(rows: Sequence[PatientOutput], origin: Origin) -> OutputTrust | None:
    """Fit all numbers; None where fewer than two patients of two groups have anything to rate.

    What rests on the expected Dice (when to look, the interval) rests on that which the other groups' fit expects.
    """
    groups = sorted({row.group for row in rows})
    expected: dict[str, float] = {}
    for group in groups:
        part = _regressed([row for row in rows if row.group != group], origin)
        if part is None:
            return None
        mine = (row for row in rows if row.group == group)
        judged = ((row.patient, judge(row.counts, part).dice_expected) for row in mine)
        expected |= {patient: dice for patient, dice in judged if dice is not None}
    whole = _regressed(rows, origin)
    return None if whole is None else _completed(whole, rows, expected, len(groups))


def _regressed(rows: Sequence[PatientOutput], origin: Origin) -> OutputTrust | None:
    """Fit the expected Dice, and what calibrates probabilities; the rest is filled in later."""
    rated = [(values, row) for row in rows if (values := features(row.counts)) is not None]
    if len(rated) < 2:
        return None
    dice = np.array([row.dice for _, row in rated])
    names = list(TRUST_FEATURES)
    while True:
        table = np.array([[values[name] for name in names] for values, _ in rated]).reshape(len(rated), -1)
        intercept, weights, typical = _logistic(table, dice)
        wrong = [name for name, weight in zip(names, weights, strict=True) if (weight < 0) != (name == BORDER)]
        if not wrong or len(names) == 1:
            break
        names = [name for name in names if name not in wrong] or [BORDER]
    slope, offset = platt(np.sum([row.histogram for row in rows], axis=0))
    return OutputTrust(
        low=LOW,
        middle=MIDDLE,
        high=HIGH,
        intercept=_short(intercept),
        features=tuple(
            TrustFeature(name=name, weight=_short(weight), typical=_short(mean))
            for name, weight, mean in zip(names, weights, typical, strict=True)
        ),
        look_below=POOR_BELOW,
        volume_low=0.0,
        volume_high=0.0,
        coverage=COVERAGE,
        slope=_short(max(slope, _LEAST_SLOPE)),
        offset=_short(offset),
        threshold=origin.threshold,
        patients=len(rows),
        groups=len({row.group for row in rows}),
        network=origin.network,
        data=origin.data,
    )


def _completed(
    fitted: OutputTrust, rows: Sequence[PatientOutput], expected: dict[str, float], groups: int
) -> OutputTrust:
    rated = [row for row in rows if row.patient in expected and row.volume_px]
    scaled = [(row.reference_px / row.volume_px - 1.0) / (1.0 - expected[row.patient]) for row in rated]
    return replace(
        fitted,
        look_below=_short(look_level([(expected[row.patient], row.dice) for row in rows if row.patient in expected])),
        volume_low=_short(max(0.0, conformal([-one for one in scaled], (1.0 - COVERAGE) / 2))),
        volume_high=_short(max(0.0, conformal(scaled, (1.0 - COVERAGE) / 2))),
        groups=groups,
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


def _logistic(
    table: NDArray[np.float64], dice: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Fit a logistic curve by Newton's method: intercept, weights and the features' means; ridge in standard units."""
    mean, spread = table.mean(axis=0), table.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(table)), (table - mean) / spread])
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
    return float(found[0]), found[1:] / spread, mean


def _short(value: float) -> float:
    """Keep as many digits as mean anything."""
    return float(f"{value:.{_DIGITS}g}")
