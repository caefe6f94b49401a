"""Losses: what they are 0 at, and which channel of the targets each part reads."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.losses import make_loss
from edgeseg.specs.training import LOSSES, TrainSpec

NAMES = ("bce", "bce-dice", "dice", "focal-tversky")
SQUARE = np.pad(np.ones((1, 10, 10, 1), np.float32), ((0, 0), (7, 7), (7, 7), (0, 0)))
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


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_prefers_the_mask_to_nothing_and_to_its_opposite(name: str) -> None:
    TrainSpec(loss=name)
    right, nothing, wrong = (_loss(name, SQUARE, 8 * logits) for logits in (SQUARE - 0.5, 0 * SQUARE, 0.5 - SQUARE))
    assert right < nothing < wrong


def test_border_wants_an_outline_that_is_less_sure_and_leaves_the_inside() -> None:
    """The derivative by a logit is the probability minus the aim: 1 inside, between 0 and 1 within two pixels."""
    sure = 40 * (SQUARE - 0.5)

    def gain(row: int) -> float:
        less = sure.copy()
        less[:, row, 12] = 1.0
        return _loss("border", SQUARE, sure) - _loss("border", SQUARE, less)

    assert gain(7) > 0.005
    assert gain(8) > 0.001
    assert gain(9) < 0


def test_boundary_minds_what_lies_far_outside_more_than_what_lies_near() -> None:
    near, far = (np.where(SQUARE > 0, 40.0, -40.0).astype(np.float32) for _ in range(2))
    near[:, 6, 12], far[:, 0, 12] = 40.0, 40.0
    assert _loss("bce-dice", SQUARE, near) == pytest.approx(_loss("bce-dice", SQUARE, far))
    assert _loss("boundary", SQUARE, far) - _loss("boundary", SQUARE, near) == pytest.approx(
        6 / 8 / SQUARE.size, rel=0.05
    )
