from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeseg.metrics import count_overlap, count_tumour_free

SHAPE = (2, 3, 4)
MASKS = arrays(np.bool_, SHAPE)
EMPTY = np.zeros(SHAPE, np.bool_)
FULL = np.ones(SHAPE, np.bool_)


def test_hand_computed_counts_and_ratios() -> None:
    reference, prediction = EMPTY.copy(), EMPTY.copy()
    reference[0, 0, :] = True
    prediction[0, 0, 1:] = True
    prediction[1, 2, :2] = True
    overlap = count_overlap(prediction, reference)
    counts = (overlap.true_positives, overlap.false_positives, overlap.false_negatives, overlap.true_negatives)
    assert counts == (3, 2, 1, 18)
    assert overlap.dice == pytest.approx(6 / 9)
    assert overlap.iou == pytest.approx(3 / 6)
    assert overlap.precision == pytest.approx(3 / 5)
    assert overlap.recall == pytest.approx(3 / 4)
    assert overlap.pixel_accuracy == pytest.approx(21 / 24)


@pytest.mark.parametrize(
    ("prediction", "reference", "dice", "iou", "precision", "recall", "accuracy"),
    [
        (EMPTY, EMPTY, 1.0, 1.0, 1.0, 1.0, 1.0),
        (FULL, FULL, 1.0, 1.0, 1.0, 1.0, 1.0),
        (FULL, EMPTY, 0.0, 0.0, 0.0, 0.0, 0.0),
        (EMPTY, FULL, 0.0, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_empty_and_full_volumes_follow_the_documented_rule(
    prediction: np.ndarray,
    reference: np.ndarray,
    dice: float,
    iou: float,
    precision: float,
    recall: float,
    accuracy: float,
) -> None:
    overlap = count_overlap(prediction, reference)
    found = (overlap.dice, overlap.iou, overlap.precision, overlap.recall, overlap.pixel_accuracy)
    assert found == (dice, iou, precision, recall, accuracy)


@settings(deadline=None, max_examples=60)
@given(MASKS, MASKS)
def test_counts_equal_a_loop_over_voxels(prediction: np.ndarray, reference: np.ndarray) -> None:
    pairs = list(zip(prediction.ravel().tolist(), reference.ravel().tolist(), strict=True))
    overlap = count_overlap(prediction, reference)
    assert overlap.true_positives == pairs.count((True, True))
    assert overlap.false_positives == pairs.count((True, False))
    assert overlap.false_negatives == pairs.count((False, True))
    assert overlap.true_negatives == pairs.count((False, False))


@settings(deadline=None, max_examples=60)
@given(MASKS, MASKS, st.permutations(range(SHAPE[0])))
def test_symmetry_range_and_identities(prediction: np.ndarray, reference: np.ndarray, order: list[int]) -> None:
    one, other = count_overlap(prediction, reference), count_overlap(reference, prediction)
    assert one.dice == other.dice
    assert one.iou == other.iou
    assert one.precision == other.recall
    assert one.pixel_accuracy == other.pixel_accuracy
    assert all(0.0 <= v <= 1.0 for v in (one.dice, one.iou, one.precision, one.recall, one.pixel_accuracy))
    assert one.iou == pytest.approx(one.dice / (2.0 - one.dice))
    assert count_overlap(prediction[order], reference[order]) == one


def test_ratios_do_not_overflow_on_large_counts() -> None:
    volume = np.ones((300, 512, 512), np.bool_)
    assert count_overlap(volume, volume).dice == 1.0


def test_tumour_free_slices_are_counted_by_slice() -> None:
    reference, prediction = np.zeros((5, 2, 2), np.bool_), np.zeros((5, 2, 2), np.bool_)
    reference[1, 0, 0] = True
    prediction[1, 1, 1] = True
    prediction[2] = True
    prediction[4, 0, 1] = True
    count = count_tumour_free(prediction, reference)
    assert (count.tumour_free, count.false_positive) == (4, 2)


def test_no_tumour_free_slice() -> None:
    count = count_tumour_free(FULL, FULL)
    assert (count.tumour_free, count.false_positive) == (0, 0)


@pytest.mark.parametrize(
    ("prediction", "reference"),
    [
        (EMPTY, EMPTY[:1]),
        (EMPTY[0], EMPTY[0]),
        (EMPTY.astype(np.uint8), EMPTY),
        (EMPTY, EMPTY.astype(np.float32)),
        (EMPTY[:0], EMPTY[:0]),
    ],
)
def test_what_is_not_two_bool_volumes_is_refused(prediction: np.ndarray, reference: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(N, H, W\) bool"):
        count_overlap(prediction, reference)
    with pytest.raises(ValueError, match=r"\(N, H, W\) bool"):
        count_tumour_free(prediction, reference)
