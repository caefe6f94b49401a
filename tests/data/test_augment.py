"""Training augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeseg.data.augment import MODES, Variation, augment, draw
from edgeseg.specs import AUGMENTATIONS, LGG

SIDE = 96
FLAIR = LGG.names.index("flair")


def _slice() -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[30:60, 20:50] = True
    image[mask] = (0, 255, 0)
    image[~mask, 1] = 0
    return image, mask


def _augment(**options: Any) -> tuple[np.ndarray, np.ndarray]:
    image, mask = _slice()
    return augment(image, [mask], **options)


def test_the_spec_names_every_mode() -> None:
    assert set(MODES) == set(AUGMENTATIONS)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("crop_px", [64, 96, 128])
def test_shapes_ranges_and_binary_masks(mode: str, crop_px: int) -> None:
    pixels, target = _augment(crop_px=crop_px, mode=mode, rng=np.random.default_rng(0))
    assert pixels.shape == (crop_px, crop_px, 3)
    assert target.shape == (crop_px, crop_px, 1)
    assert pixels.dtype == target.dtype == np.float32
    assert pixels.min() >= 0.0
    assert pixels.max() <= 1.0
    assert set(np.unique(target)) <= {0.0, 1.0}


@pytest.mark.parametrize("mode", MODES)
def test_image_and_mask_move_together(mode: str) -> None:
    for seed in range(8):
        pixels, target = _augment(crop_px=SIDE, mode=mode, rng=np.random.default_rng(seed))
        bright = pixels[..., 1] > 0.3
        overlap = 2 * (bright & (target[..., 0] > 0)).sum() / (bright.sum() + target.sum())
        assert overlap > 0.95, (mode, seed)


def test_the_whole_slice_without_augmentation_is_the_slice() -> None:
    image, mask = _slice()
    pixels, target = augment(image, [mask], crop_px=SIDE, mode="none", rng=np.random.default_rng(0))
    np.testing.assert_allclose(pixels, image / np.float32(255), atol=1e-6)
    np.testing.assert_array_equal(target[..., 0] > 0, mask)


def test_flips_mode_flips_left_and_right_only() -> None:
    image, mask = _slice()
    seen = set()
    for seed in range(12):
        pixels, _ = augment(image, [mask], crop_px=SIDE, mode="flips", rng=np.random.default_rng(seed))
        plain = np.allclose(pixels, image / 255, atol=1e-6)
        mirrored = np.allclose(pixels, image[:, ::-1] / 255, atol=1e-6)
        assert plain != mirrored
        seen.add(plain)
    assert seen == {True, False}


def test_the_same_generator_state_gives_the_same_crop() -> None:
    first = _augment(crop_px=64, mode="rich", rng=np.random.default_rng(5))
    again = _augment(crop_px=64, mode="rich", rng=np.random.default_rng(5))
    other = _augment(crop_px=64, mode="rich", rng=np.random.default_rng(6))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


def test_upright_never_turns_a_slice_upside_down() -> None:
    image, mask = _slice()
    image[:, :, 1] = np.linspace(0, 255, SIDE, dtype=np.uint8)[:, np.newaxis]
    for seed in range(12):
        pixels, _ = augment(image, [mask], crop_px=64, mode="upright", rng=np.random.default_rng(seed))
        assert pixels[48:, :, 1].mean() > pixels[:16, :, 1].mean()


def test_soft_targets_move_with_the_mask_and_stay_between_0_and_1() -> None:
    image, mask = _slice()
    soft = np.where(mask, 200, 0).astype(np.uint8)
    for mode in ("rich", "strong"):
        _, targets = augment(image, [mask, soft], crop_px=64, mode=mode, rng=np.random.default_rng(1))
        assert targets.shape == (64, 64, 2)
        hard, gentle = targets[..., 0] > 0, targets[..., 1]
        assert gentle.max() <= 200 / 255 + 1e-6
        assert gentle[hard].mean() > 0.7
        assert gentle[~hard].mean() < 0.05


def test_flair_stands_in_for_either_sequence_or_both_and_nothing_for_flair() -> None:
    image, mask = _slice()
    lost = set()
    for seed in range(16):
        rng = np.random.default_rng(seed)
        pixels, _ = augment(image, [mask], crop_px=SIDE, mode="none", rng=rng, missing_share=1.0)
        np.testing.assert_allclose(pixels[..., FLAIR], image[..., FLAIR] / np.float32(255), atol=1e-6)
        lost.add(tuple(c for c in range(3) if c != FLAIR and np.array_equal(pixels[..., c], pixels[..., FLAIR])))
    assert lost == {(0,), (2,), (0, 2)}


def test_any_one_channel_may_be_black_and_nothing_stands_in_then() -> None:
    image, mask = _slice()
    lost = set()
    for seed in range(16):
        rng = np.random.default_rng(seed)
        pixels, _ = augment(image, [mask], crop_px=SIDE, mode="none", rng=rng, missing_share=1.0, blank_share=1.0)
        (black,) = (channel for channel in range(3) if not pixels[..., channel].any())
        for kept in {0, 1, 2} - {black}:
            np.testing.assert_allclose(pixels[..., kept], image[..., kept] / np.float32(255), atol=1e-6)
        lost.add(black)
    assert lost == {0, 1, 2}


def test_scanner_makes_all_channels_darker_or_brighter_together() -> None:
    image = np.full((SIDE, SIDE, 3), 60, np.uint8)
    means = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        pixels, _ = augment(image, [image[..., 0] > 0], crop_px=32, mode="scanner", rng=rng)
        means.append(pixels.mean())
    assert min(means) < 0.5 * 60 / 255
    assert max(means) > 1.3 * 60 / 255


def _centre(drawn: Variation) -> tuple[float, float]:
    """Where the middle of a crop of SIDE pixels lies in the slice, from the slice's own middle."""
    a, b, c, d, e, f = drawn.affine
    half = SIDE / 2
    return a * half + b * half + c - half, d * half + e * half + f - half


def test_shifted_crops_reach_over_the_edges_and_others_do_not() -> None:
    rng = np.random.default_rng(0)
    shifted, rich = (
        np.array([_centre(draw((SIDE, SIDE), crop_px=SIDE, mode=mode, rng=rng)) for _ in range(100)])
        for mode in ("shifted", "rich")
    )
    np.testing.assert_allclose(rich, 0.0, atol=1e-9)
    assert np.abs(shifted).max() <= 32
    assert (np.abs(shifted).max(axis=0) > 24).all()


def test_extreme_turns_slices_by_any_angle() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw((SIDE, SIDE), crop_px=64, mode="extreme", rng=rng) for _ in range(100)]
    angles = [abs(np.degrees(np.arctan2(v.affine[3], v.affine[0]))) for v in drawn]
    assert max(angles) > 120
    assert sum(60 < angle < 120 for angle in angles) > 15
