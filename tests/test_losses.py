"""Losses: what they are 0 at, and which channel of the targets each part reads."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.losses import make_loss
from edgeseg.specs import TrainSpec

NAMES = ("bce", "bce-dice", "dice", "focal-tversky")
MASK = (np.random.default_rng(0).random((2, 8, 8, 1)) > 0.7).astype(np.float32)


def _loss(name: str, targets: np.ndarray, logits: np.ndarray) -> float:
    return float(make_loss(load_keras(), name)(targets, logits))


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_answer_costs_nothing_and_the_opposite_most(name: str) -> None:
    TrainSpec(loss=name)
    right = 40.0 * (MASK - 0.5)
    assert _loss(name, MASK, right) == pytest.approx(0.0, abs=1e-3)
    assert _loss(name, MASK, -right) > _loss(name, MASK, np.zeros_like(MASK)) > 0.01


def test_focal_tversky_minds_a_missed_pixel_more_than_an_invented_one() -> None:
    half = np.zeros((1, 4, 4, 1), np.float32)
    half[:, :2] = 1.0
    missed, invented = half.copy(), half.copy()
    missed[:, 1], invented[:, 2] = 0.0, 1.0
    assert _loss("focal-tversky", half, 40 * (missed - 0.5)) > _loss("focal-tversky", half, 40 * (invented - 0.5))


def test_with_soft_targets_dice_reads_the_mask_and_cross_entropy_the_teacher() -> None:
    keras_logits = np.zeros_like(MASK)
    soft = np.concatenate([MASK, np.full_like(MASK, 0.5)], axis=-1)
    assert _loss("dice", soft, keras_logits) == pytest.approx(_loss("dice", MASK, keras_logits))
    assert _loss("bce", soft, keras_logits) == pytest.approx(np.log(2), rel=1e-5)
    assert _loss("bce", soft, keras_logits + 3) > _loss("bce", soft, keras_logits)
    assert _loss("bce-dice", soft, keras_logits) == pytest.approx(
        _loss("bce", soft, keras_logits) + _loss("dice", soft, keras_logits), rel=1e-5
    )
