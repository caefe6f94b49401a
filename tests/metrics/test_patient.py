from __future__ import annotations

import numpy as np
import pytest

from edgeseg.metrics import score_patient


def test_everything_about_one_patient_by_hand() -> None:
    reference, prediction = np.zeros((4, 8, 8), np.bool_), np.zeros((4, 8, 8), np.bool_)
    reference[1, 2:4, 2:4] = True
    reference[1, 7, 7] = True
    prediction[1, 2:4, 2:5] = True
    prediction[3, 0, 0] = True
    score = score_patient(prediction, reference, patient="P1", institution="A")
    assert (score.patient, score.institution, score.slices) == ("P1", "A", 4)
    assert score.dice == pytest.approx(8 / 12)
    assert score.iou == pytest.approx(4 / 8)
    assert score.precision == pytest.approx(4 / 7)
    assert score.recall == pytest.approx(4 / 5)
    assert score.pixel_accuracy == pytest.approx(1 - 4 / 256)
    assert (score.lesions, score.lesions_found) == (2, 1)
    assert (score.tumour_free_slices, score.false_positive_slices) == (3, 1)
    pool = [0.0] * 8 + [1.0, 1.0, np.sqrt(4 + 4 + 4), np.sqrt(9 + 16)]
    assert score.hd95_px == pytest.approx(np.percentile(pool, 95))


def test_an_empty_prediction_has_no_distance_and_finds_nothing() -> None:
    reference = np.zeros((2, 4, 4), np.bool_)
    reference[0, 1, 1] = True
    score = score_patient(np.zeros_like(reference), reference, patient="P1")
    assert score.hd95_px is None
    assert (score.dice, score.recall, score.lesions_found) == (0.0, 0.0, 0)
    assert score.pixel_accuracy > 0.96
