"""Overlap of two mask volumes, counted in voxels, and the tumour-free slices that were marked by mistake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The four voxel counts of a prediction against a reference, and the ratios that follow from them.

    A ratio of 0 / 0 is 1.0 when both masks are empty (nothing to find, nothing claimed) and 0.0 otherwise: precision
    of an empty prediction on a tumour is 0.0, and so is recall where tumour was claimed in a volume without any. That
    keeps `precision(a, b) == recall(b, a)`.
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def dice(self) -> float:
        """`2 TP / (2 TP + FP + FN)` in [0, 1] (Dice 1945; the F1 score of the voxels); 1.0 when both are empty."""
        tp = self.true_positives
        return self._ratio(2 * tp, 2 * tp + self.false_positives + self.false_negatives)

    @property
    def iou(self) -> float:
        """`TP / (TP + FP + FN)` in [0, 1] (Jaccard 1912), equal to `dice / (2 - dice)`; 1.0 when both are empty."""
        return self._ratio(self.true_positives, self.true_positives + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        """`TP / (TP + FP)` in [0, 1]: the share of what was marked that is tumour."""
        return self._ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """`TP / (TP + FN)` in [0, 1]: the share of the tumour that was marked."""
        return self._ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def pixel_accuracy(self) -> float:
        """`(TP + TN) / all` in [0, 1]: shown since people ask for it; near 0.99 for a prediction that is empty."""
        right = self.true_positives + self.true_negatives
        return right / (right + self.false_positives + self.false_negatives)

    def _ratio(self, part: int, whole: int) -> float:
        if whole:
            return part / whole
        both_empty = self.true_positives + self.false_positives + self.false_negatives == 0
        return 1.0 if both_empty else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCount:
    """Slices without any reference tumour, and how many of them the prediction marks all the same."""

    tumour_free: int
    false_positive: int


def check_volumes(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> None:
    """Refuse what is not two bool volumes of one shape.

    Raises:
        ValueError: naming both shapes and dtypes; a caller's mistake, never the user's.
    """
    same = prediction.shape == reference.shape and prediction.ndim == 3 and prediction.size > 0
    if not same or prediction.dtype != np.bool_ or reference.dtype != np.bool_:
        raise ValueError(
            f"prediction is {prediction.shape} {prediction.dtype} and reference {reference.shape} {reference.dtype}; "
            "both must be (N, H, W) bool of one shape, not empty"
        )


def each_mask(masks: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
    """Give the masks of a volume one by one: `(N, H, W) bool` itself, or the K of `(N, H, W, K)`."""
    return tuple(masks[..., place] for place in range(masks.shape[3])) if masks.ndim == 4 else (masks,)


def count_overlap(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Overlap:
    """Count the voxels of two volumes.

    Args:
        prediction: `(N, H, W) bool`.
        reference: `(N, H, W) bool`.

    Raises:
        ValueError: when the volumes are not bool of one 3-D shape.
    """
    check_volumes(prediction, reference)
    both = int(np.count_nonzero(prediction & reference))
    predicted = int(np.count_nonzero(prediction))
    true = int(np.count_nonzero(reference))
    return Overlap(
        true_positives=both,
        false_positives=predicted - both,
        false_negatives=true - both,
        true_negatives=prediction.size - predicted - true + both,
    )


def count_tumour_free(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> SliceCount:
    """Count the slices without reference tumour, and those of them with at least one predicted voxel.

    Args:
        prediction: `(N, H, W) bool`.
        reference: `(N, H, W) bool`.

    Raises:
        ValueError: when the volumes are not bool of one 3-D shape.
    """
    check_volumes(prediction, reference)
    free = ~reference.any(axis=(1, 2))
    wrong = free & prediction.any(axis=(1, 2))
    return SliceCount(tumour_free=int(np.count_nonzero(free)), false_positive=int(np.count_nonzero(wrong)))
