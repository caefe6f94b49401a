"""Fitting what tells that an input is odd: one linear score for each way in which volumes were made odd on purpose.

A score is a logistic regression with a quadratic penalty on few of the features of `edgeseg.trust.input_features`,
each measured from its median in units of its spread and cut off at `EDGE`: it is fitted on all, the features with the
greatest weights are kept and it is fitted on these, again and again (recursive feature elimination, Guyon et al.,
Machine Learning 46, 2002). Patients are divided into five groups, and each is scored by what was fitted on the
others: where those that were not made odd have their greatest score, there the bound lies, or at the second where
that tells at least `_WORTH_ONE` more of the odd ones; of a gap to those that were made odd the greater part is left
to the others. The fewest features are taken that tell all but a hundredth apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import DatasetError
from edgeseg.specs import InputLook
from edgeseg.trust import EDGE

Sign = tuple[str, tuple[int, ...]]
"""Its kind, and the channels that it names."""
Floats = NDArray[np.float64]
LEAST_PATIENTS = 20
_SIZES, _ELIMINATED = (3, 6, 12), (48, 32, 24, 16)
_GROUPS, _PENALTY, _STEPS, _TOLD_APART = 5, 0.01, 12, 0.99
_WORTH_ONE, _LOW, _MARGIN, _CUSHION = 0.03, 4, 0.7, 0.2
"""What a second patient beyond the bound has to gain; which percentile of odd inputs the gap ends at; how much of it is
left to the others; how far beyond the bound a score has to be, in units of that of half of the odd inputs."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LookRow:
    """The features of one patient as it is, `(F,) float64`, and made odd, `(M, F) float64` for each sign."""

    clean: Floats
    odd: Mapping[Sign, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A linear score: places of features, their weights, and what it begins with."""

    on: NDArray[np.intp]
    weights: Floats
    bias: float

    def score(self, values: Floats) -> Floats:
        """Score `(N, F)` standardised features."""
        return np.asarray(values[:, self.on] @ self.weights + self.bias)


def fit_look(rows: Sequence[LookRow], data: str) -> InputLook:
    """Fit on patients that have no odd inputs of their own.

    Raises:
        DatasetError: for fewer than `LEAST_PATIENTS`.
    """
    if len(rows) < LEAST_PATIENTS:
        raise DatasetError(
            f"what inputs look like is to be learned from {len(rows)} patients, and at least {LEAST_PATIENTS} are "
            "needed; give more, or leave the input check out"
        )
    clean = np.stack([row.clean for row in rows])
    typical = np.median(clean, axis=0)
    spread = np.percentile(np.abs(clean - typical), 80, axis=0) / 1.28 + 0.02
    typical, spread = _rounded(typical, 3), _rounded(spread, 2)
    clean = standardised(clean, typical, spread)
    lines: dict[Sign, _Line] = {}
    for sign in rows[0].odd:
        lines[sign] = _sign(clean, [standardised(row.odd[sign], typical, spread) for row in rows])
    used = sorted({int(place) for line in lines.values() for place in line.on})
    return InputLook(
        features=tuple(used),
        typical=tuple(float(typical[one]) for one in used),
        spread=tuple(float(spread[one]) for one in used),
        signs=tuple(" ".join((kind, *map(str, channels))) for kind, channels in lines),
        on=tuple(tuple(used.index(int(place)) for place in line.on) for line in lines.values()),
        weights=tuple(tuple(map(float, _rounded(line.weights, 2))) for line in lines.values()),
        bias=tuple(float(_rounded(np.array([line.bias]), 3)[0]) for line in lines.values()),
        patients=len(rows),
        data=data,
    )


def standardised(values: Floats, typical: Floats, spread: Floats) -> Floats:
    """Measure features from their typical values in units of their spread, cut off at both ends."""
    return np.clip((values - typical) / spread, -EDGE, EDGE)


def _sign(clean: Floats, odd: list[Floats]) -> _Line:
    """Fit the score of one sign with the fewest features that do."""
    group = np.arange(len(clean)) % _GROUPS
    held_clean = {size: np.zeros(len(clean)) for size in _SIZES}
    held_odd: dict[int, list[Floats]] = {size: [] for size in _SIZES}
    for number in range(_GROUPS):
        out = np.flatnonzero(group == number)
        made = _lines(clean[group != number], np.concatenate([odd[one] for one in np.flatnonzero(group != number)]))
        for size, line in made.items():
            held_clean[size][out] = line.score(clean[out])
            held_odd[size] += [line.score(odd[one]) for one in out]
    whole = _lines(clean, np.concatenate(odd))
    for size in _SIZES:
        scores, ranked = np.concatenate(held_odd[size]), np.sort(held_clean[size])[::-1]
        bound = float(ranked[0])
        if np.mean(scores > ranked[1]) - np.mean(scores > bound) > _WORTH_ONE:
            bound = float(ranked[1])
        if size == _SIZES[-1] or np.mean(scores > bound) >= _TOLD_APART:
            break
    low, middle = np.percentile(scores, (_LOW, 50))
    bound += _MARGIN * max(0.0, float(low) - bound)
    scale = max(float(middle) - bound, 1e-3)
    line = whole[size]
    return _Line(line.on, line.weights / scale, (line.bias - bound) / scale - _CUSHION)


def _lines(clean: Floats, odd: Floats) -> dict[int, _Line]:
    """Fit scores with ever fewer features: one of each of `_SIZES`."""
    places, found = np.arange(clean.shape[1]), {}
    weights = np.zeros(len(places) + 1)
    for size in (len(places), *(one for one in _ELIMINATED if one < len(places)), *reversed(_SIZES)):
        if size < len(places):
            places = places[np.argsort(-np.abs(weights[:-1]), kind="stable")[:size]]
        weights = _logistic(clean[:, places], odd[:, places])
        if size in _SIZES:
            found[size] = _Line(places, weights[:-1], float(weights[-1]))
    return found


def _logistic(clean: Floats, odd: Floats) -> Floats:
    """Fit by Newton's method, both sides with the same weight: `(F + 1,)`, the bias last."""
    values = np.concatenate([clean, odd])
    values = np.concatenate([values, np.ones((len(values), 1))], axis=1)
    wanted = np.repeat((0.0, 1.0), (len(clean), len(odd)))
    share = np.repeat((0.5 / len(clean), 0.5 / len(odd)), (len(clean), len(odd)))
    penalty = np.full(values.shape[1], _PENALTY)
    penalty[-1] = 1e-6
    weights = np.zeros(values.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(values @ weights, -30.0, 30.0)))
        slope = values.T @ (share * (chance - wanted)) + penalty * weights
        curve = (values * (share * chance * (1.0 - chance) + 1e-9)[:, np.newaxis]).T @ values + np.diag(penalty)
        weights = weights - np.linalg.solve(curve, slope)
    return np.asarray(weights)


def _rounded(values: Floats, digits: int) -> Floats:
    """Round to so many digits that count, as contracts hold them."""
    return np.array([float(f"{value:.{digits}g}") for value in values])
