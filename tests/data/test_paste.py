"""Pasting tumours from crop to crop."""

from __future__ import annotations

import numpy as np

from edgeseg.data.paste import MAX_RIM_PX, Pastes, draw_pastes, paste


def _batch() -> tuple[np.ndarray, np.ndarray]:
    """Two heads of even grey, the first with a bright square of tumour, the second of half the brightness."""
    images = np.zeros((2, 32, 32, 3), np.float32)
    images[0, 4:28, 4:28], images[1, 4:28, 4:28] = 0.4, 0.2
    targets = np.zeros((2, 32, 32, 1), np.float32)
    targets[0, 10:14, 12:16] = 1.0
    images[0, 10:14, 12:16] = 0.8
    return images, targets


def _pastes(*receives: bool, rim_px: int = 2) -> Pastes:
    return Pastes(receives=np.array(receives), giver=np.array([1, 0], np.int32), rim_px=np.asarray(rim_px, np.int32))


def test_a_tumour_comes_with_its_rim_and_at_the_brightness_of_its_new_head() -> None:
    images, targets = _batch()
    pasted, goals = paste(np, images, targets, _pastes(False, True))
    np.testing.assert_array_equal(goals[1], targets[0])
    came = np.zeros((32, 32), np.bool_)
    came[8:16, 10:18] = True
    changed = np.any(pasted[1] != images[1], axis=-1)
    assert changed[10:14, 12:16].all()
    assert not changed[~came].any()
    assert 0.35 < pasted[1, 12, 13, 0] < 0.45
    assert 0.15 < pasted[1, 8, 10, 0] < 0.25


def test_crops_that_receive_nothing_stay_as_they_are() -> None:
    images, targets = _batch()
    pasted, goals = paste(np, images, targets, _pastes(True, False))
    np.testing.assert_array_equal(pasted, images)
    np.testing.assert_array_equal(goals, targets)


def test_what_a_tumour_falls_on_is_gone_in_every_channel_of_the_targets() -> None:
    images, targets = _batch()
    soft = np.full_like(targets, 0.25)
    targets[1, 8:10, 10:12] = 1.0
    _, goals = paste(np, images, np.concatenate([targets, soft], axis=-1), _pastes(False, True))
    assert not goals[1, 8:10, 10:12, 0].any()
    assert (goals[1, ..., 1] == 0.25).all()


def test_givers_are_slices_with_tumour_and_shares_are_kept() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_pastes(8, 5, 0.25, rng) for _ in range(200)]
    assert {int(g) for pastes in drawn for g in pastes.giver} == set(range(5))
    assert {int(pastes.rim_px) for pastes in drawn} == set(range(1, MAX_RIM_PX + 1))
    assert 0.2 < np.mean([pastes.receives for pastes in drawn]) < 0.3
    assert draw_pastes(4, 1, 1.0, rng).receives.all()


def test_all_classes_of_a_tumour_come_along() -> None:
    images, first = _batch()
    second = np.roll(first, 6, axis=1)
    targets = np.concatenate([first, second], axis=-1)
    _, goals = paste(np, images, targets, _pastes(False, True), masks=2)
    np.testing.assert_array_equal(goals[1], targets[0])
    _, of_first = paste(np, images, targets, _pastes(False, True))
    assert of_first[1, ..., 1].sum() < goals[1, ..., 1].sum(), "a class outside the first one is left behind"
