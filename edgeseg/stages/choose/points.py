"""Every operating point of a grid scored on every patient, and the best of them on some of the patients."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import Components, find_components, large_enough
from edgeseg.imaging import mask_from_logits
from edgeseg.metrics import Overlap
from edgeseg.specs import Contract, OperatingPoint, PostProcessing

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 19))
MIN_VOLUMES_PX = (0, 25, 50, 100)
MIN_SHARES = (0.0, 0.01, 0.02, 0.05)
MIN_AREAS_PX = (0, 10, 20, 40)
"""The grids end where true lesions begin: Dice hardly minds a lost second lesion, a patient does."""
_DICE_DECIMALS = 4
DICE_FOR_LESIONS = 0.002
"""How much mean Dice a point may cost against the best one where it finds more lesions."""


def volume_points() -> tuple[OperatingPoint, ...]:
    """The grid for volumes, the plainest points first: near 0.5, then few voxels, then a small share."""
    plain_first = itertools.product(sorted(THRESHOLDS, key=lambda t: (abs(t - 0.5), t)), MIN_VOLUMES_PX, MIN_SHARES)
    return tuple(
        OperatingPoint(threshold=t, post_processing=PostProcessing(min_volume_px=px, min_share=share))
        for t, px, share in plain_first
    )


def slice_points() -> tuple[OperatingPoint, ...]:
    """The grid for lone slices, the plainest points first."""
    return tuple(
        OperatingPoint(threshold=t, post_processing=PostProcessing(min_area_px=px))
        for t, px in itertools.product(THRESHOLDS, MIN_AREAS_PX)
    )


@dataclass(frozen=True, slots=True, eq=False)
class PatientPoints:
    """One patient at every point.

    Attributes:
        dice: `(K,) float64`.
        false_positive_slices: `(K,) int64`.
        lesions_found: `(K,) int64`, as `metrics.count_lesions` counts them.
        tumour_free: slices without reference tumour.
        lesions: of the reference.
    """

    dice: NDArray[np.float64]
    false_positive_slices: NDArray[np.int64]
    lesions_found: NDArray[np.int64]
    tumour_free: int
    lesions: int


def score_points(
    logits: NDArray[np.float32],
    reference: NDArray[np.bool_],
    contract: Contract,
    points: tuple[OperatingPoint, ...],
    *,
    volume: bool,
) -> PatientPoints:
    """Score one patient at every point; equal to `post_process` and `count_overlap` at each, and much faster.

    Args:
        logits: `(N, H, W) float32` on the grid of the contract.
        reference: `(N, H, W) bool` on the same grid.
        contract: of the network; its own threshold and post-processing are not used.
        points: what to score.
        volume: by the rule for volumes, or by that for lone slices.
    """
    free = ~reference.any(axis=(1, 2))
    true = int(np.count_nonzero(reference))
    lesions = find_components(reference, volume=True)
    dice, wrong, touched = np.empty(len(points)), *np.empty((2, len(points)), np.int64)
    for threshold, places in _by_threshold(points):
        found = find_components(mask_from_logits(logits, replace(contract, threshold=threshold)), volume=volume)
        hits, in_free, touches = found.overlap(reference), found.slices()[:, free], _touches(found, lesions)
        for place in places:
            keep = large_enough(found.sizes, points[place].post_processing, volume=volume)
            dice[place] = _dice(found, hits, keep, true)
            wrong[place] = np.count_nonzero(in_free[keep].any(axis=0))
            touched[place] = np.count_nonzero(touches[keep].any(axis=0))
    return PatientPoints(dice, wrong, touched, int(np.count_nonzero(free)), len(lesions.sizes))


def _touches(found: Components, lesions: Components) -> NDArray[np.bool_]:
    """Say which predicted component lies on which lesion: `(K, L) bool`."""
    touches = np.zeros((len(found.sizes) + 1, len(lesions.sizes) + 1), np.bool_)
    touches[found.labels().ravel(), lesions.labels().ravel()] = True
    return touches[1:, 1:]


def _by_threshold(points: tuple[OperatingPoint, ...]) -> Iterator[tuple[float, list[int]]]:
    places: dict[float, list[int]] = {}
    for place, point in enumerate(points):
        places.setdefault(point.threshold, []).append(place)
    yield from places.items()


def _dice(found: Components, hits: NDArray[np.int64], keep: NDArray[np.bool_], true: int) -> float:
    tp, predicted = int(hits[keep].sum()), int(found.sizes[keep].sum())
    return Overlap(true_positives=tp, false_positives=predicted - tp, false_negatives=true - tp, true_negatives=0).dice


@dataclass(frozen=True, slots=True, eq=False)
class PointTable:
    """All patients at all points.

    Attributes:
        points: K of them, the plainest first.
        dice: `(P, K) float64`.
        false_positive_slices: `(P, K) int64`.
        lesions_found: `(P, K) int64`.
        tumour_free: `(P,) int64`, slices without reference tumour.
        lesions: `(P,) int64`, of the reference.
    """

    points: tuple[OperatingPoint, ...]
    dice: NDArray[np.float64]
    false_positive_slices: NDArray[np.int64]
    lesions_found: NDArray[np.int64]
    tumour_free: NDArray[np.int64]
    lesions: NDArray[np.int64]

    @classmethod
    def of(cls, points: tuple[OperatingPoint, ...], patients: list[PatientPoints]) -> PointTable:
        """Put patients together."""
        return cls(
            points,
            np.stack([p.dice for p in patients]),
            np.stack([p.false_positive_slices for p in patients]),
            np.stack([p.lesions_found for p in patients]),
            np.array([p.tumour_free for p in patients], np.int64),
            np.array([p.lesions for p in patients], np.int64),
        )

    def where(self, rule: Callable[[OperatingPoint], bool]) -> NDArray[np.bool_]:
        """Say for which points a rule holds: `(K,) bool`."""
        return np.array([rule(point) for point in self.points])

    def best(self, rows: NDArray[Any], allowed: NDArray[np.bool_], *, max_fp_share: float) -> tuple[int, bool]:
        """Choose a point on some patients, among those that keep the cap on false alarms.

        Of the points within `DICE_FOR_LESIONS` of the best mean Dice, the one that finds the most lesions is chosen;
        among equals the best Dice (to four decimals), then fewer false alarms, then the plainer point. Where no point
        keeps the cap, the one with the fewest false alarms is chosen.

        Args:
            rows: which patients, indices or `(P,) bool`.
            allowed: `(K,) bool`, at least one of them true.
            max_fp_share: of the tumour-free slices that may hold a false positive.

        Returns:
            The point's number, and whether the cap was kept.
        """
        dice = np.round(self.dice[rows].mean(axis=0), _DICE_DECIMALS)
        wrong, lost = self.false_positive_slices[rows].sum(axis=0), -self.lesions_found[rows].sum(axis=0)
        kept = wrong <= max_fp_share * self.tumour_free[rows].sum()
        met = bool((allowed & kept).any())
        candidates = np.flatnonzero(allowed & kept if met else allowed)
        if not met:
            return int(min(candidates, key=lambda k: (wrong[k], -dice[k], k))), met
        near = candidates[dice[candidates] >= dice[candidates].max() - DICE_FOR_LESIONS]
        return int(min(near, key=lambda k: (lost[k], -dice[k], wrong[k], k))), met
