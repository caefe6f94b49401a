"""Training augmentation in numpy and Pillow: geometry in one resampling, intensity in one table look-up."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROTATION_DEG = 15.0
SCALE = 0.15
GAIN = 0.2
LOG_GAMMA = 0.25


def augment(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], *, crop_px: int, mode: str, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cut a random square out of a slice and vary it.

    `rich` draws a flip of each axis, a rotation of +-15 degrees, a scale of +-15 %, and per channel a gain of +-20 %
    and a gamma of exp(+-0.25); `flips` a horizontal flip only; `none` only the crop.

    Args:
        image: `(H, W, 3) uint8`.
        mask: `(H, W) bool`.
        crop_px: the side of the square; larger than the slice is padded with black.
        mode: `rich`, `flips` or `none`.
        rng: the only source of chance.

    Returns:
        `(crop_px, crop_px, 3) float32 in [0, 1]` and `(crop_px, crop_px, 1) float32`, 0 or 1.
    """
    coefficients = _affine(image.shape[:2], crop_px, mode, rng)
    size = (crop_px, crop_px)
    picture = Image.fromarray(image).transform(size, Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    cut = Image.fromarray(mask.view(np.uint8)).transform(
        size, Image.Transform.AFFINE, coefficients, Image.Resampling.NEAREST
    )
    pixels = np.take_along_axis(_tables(mode, rng), np.asarray(picture).reshape(-1, 3), axis=0)
    target = np.asarray(cut, dtype=np.float32)
    return pixels.reshape(crop_px, crop_px, 3), target[:, :, np.newaxis]


def _affine(
    shape: tuple[int, int], crop_px: int, mode: str, rng: np.random.Generator
) -> tuple[float, float, float, float, float, float]:
    """Draw the map from crop pixels to slice pixels, in Pillow's order."""
    height, width = shape
    angle, scale, flip_x, flip_y = 0.0, 1.0, 1.0, 1.0
    if mode == "rich":
        angle = math.radians(rng.uniform(-ROTATION_DEG, ROTATION_DEG))
        scale = rng.uniform(1 - SCALE, 1 + SCALE)
        flip_y = rng.choice((-1.0, 1.0))
    if mode in ("rich", "flips"):
        flip_x = rng.choice((-1.0, 1.0))
    slack_y, slack_x = (max(0.0, (side - crop_px) / 2) for side in shape)
    centre_x = width / 2 + rng.uniform(-slack_x, slack_x)
    centre_y = height / 2 + rng.uniform(-slack_y, slack_y)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    a, b, d, e = cos * flip_x, -sin * flip_y, sin * flip_x, cos * flip_y
    half = crop_px / 2
    return (a, b, centre_x - a * half - b * half, d, e, centre_y - d * half - e * half)


def _tables(mode: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return `(256, 3) float32 in [0, 1]`: what each grey value of each channel becomes."""
    levels = np.linspace(0.0, 1.0, 256, dtype=np.float32)[:, np.newaxis]
    if mode != "rich":
        return np.repeat(levels, 3, axis=1)
    gain = rng.uniform(1 - GAIN, 1 + GAIN, size=3).astype(np.float32)
    gamma = np.exp(rng.uniform(-LOG_GAMMA, LOG_GAMMA, size=3)).astype(np.float32)
    return np.clip(gain * levels**gamma, 0.0, 1.0)
