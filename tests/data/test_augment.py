"""Training augmentation."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.data.augment import augment

SIDE = 96


def _slice() -> tuple[np.ndarray, np.ndarray]:
    image = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    mask = np.zeros((SIDE, SIDE), dtype=np.bool_)
    mask[30:60, 20:50] = True
    image[mask] = (0, 255, 0)
    image[~mask, 1] = 0
    return image, mask


@pytest.mark.parametrize("mode", ["rich", "flips", "none"])
@pytest.mark.parametrize("crop_px", [64, 96, 128])
def test_shapes_ranges_and_binary_masks(mode: str, crop_px: int) -> None:
    pixels, target = augment(*_slice(), crop_px=crop_px, mode=mode, rng=np.random.default_rng(0))
    assert pixels.shape == (crop_px, crop_px, 3)
    assert target.shape == (crop_px, crop_px, 1)
    assert pixels.dtype == target.dtype == np.float32
    assert pixels.min() >= 0.0
    assert pixels.max() <= 1.0
    assert set(np.unique(target)) <= {0.0, 1.0}


@pytest.mark.parametrize("mode", ["rich", "flips", "none"])
def test_image_and_mask_move_together(mode: str) -> None:
    for seed in range(8):
        pixels, target = augment(*_slice(), crop_px=SIDE, mode=mode, rng=np.random.default_rng(seed))
        bright = pixels[..., 1] > 0.3
        overlap = 2 * (bright & (target[..., 0] > 0)).sum() / (bright.sum() + target.sum())
        assert overlap > 0.95, (mode, seed)


def test_the_whole_slice_without_augmentation_is_the_slice() -> None:
    image, mask = _slice()
    pixels, target = augment(image, mask, crop_px=SIDE, mode="none", rng=np.random.default_rng(0))
    np.testing.assert_allclose(pixels, image / np.float32(255), atol=1e-6)
    np.testing.assert_array_equal(target[..., 0] > 0, mask)


def test_flips_mode_flips_left_and_right_only() -> None:
    image, mask = _slice()
    seen = set()
    for seed in range(12):
        pixels, _ = augment(image, mask, crop_px=SIDE, mode="flips", rng=np.random.default_rng(seed))
        plain = np.allclose(pixels, image / 255, atol=1e-6)
        mirrored = np.allclose(pixels, image[:, ::-1] / 255, atol=1e-6)
        assert plain != mirrored
        seen.add(plain)
    assert seen == {True, False}


def test_the_same_generator_state_gives_the_same_crop() -> None:
    first = augment(*_slice(), crop_px=64, mode="rich", rng=np.random.default_rng(5))
    again = augment(*_slice(), crop_px=64, mode="rich", rng=np.random.default_rng(5))
    other = augment(*_slice(), crop_px=64, mode="rich", rng=np.random.default_rng(6))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
