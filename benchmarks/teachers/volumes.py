"""A network that sees a volume: 3-D, at half of the resolution in the slice, all slices along it.

Slices are thicker than pixels are wide, so the first level convolves within slices alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.augment import augment
from edgeseg.data.cache import SliceCache
from edgeseg.imaging import logits_to_size
from edgeseg.specs import TrainSpec
from edgeseg.variants.blocks import TUMOUR_PRIOR_LOGIT

WIDTHS = (16, 24, 48, 96)
KERNELS = ((1, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
POOLS = ((1, 2, 2), (2, 2, 2), (2, 2, 2))
DEPTH, VOLUMES = 24, 2
"""Slices of a crop, and crops in a batch."""
_MULTIPLE = 4


def volume_unet(keras: Any, slices: int | None, side: int) -> Any:
    """Build the network: `(N, slices, side, side, 3) float32 in [0, 1]` to logits `(N, slices, side, side, 1)`."""
    layers = keras.layers

    def twice(x: Any, level: int) -> Any:
        for _ in range(2):
            x = layers.Conv3D(WIDTHS[level], KERNELS[level], padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        return x

    volume = keras.Input(shape=(slices, side, side, 3), name="volume")
    x, skips = volume, []
    for level, pool in enumerate(POOLS):
        x = twice(x, level)
        skips.append(x)
        x = layers.MaxPooling3D(pool)(x)
    x = twice(x, len(POOLS))
    for level in reversed(range(len(POOLS))):
        x = layers.Conv3DTranspose(WIDTHS[level], POOLS[level], strides=POOLS[level])(x)
        x = twice(layers.Concatenate()([skips[level], x]), level)
    prior = keras.initializers.Constant(TUMOUR_PRIOR_LOGIT)
    x = layers.Conv3D(1, 1, bias_initializer=prior)(x)
    return keras.Model(volume, layers.Activation("linear", dtype="float32")(x))


def steps_per_epoch(patients: tuple[str, ...]) -> int:
    """How many batches see each volume once."""
    return -(-len(patients) // VOLUMES)


def batch(
    cache: SliceCache, patients: tuple[str, ...], spec: TrainSpec, epoch: int, step: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cut crops out of volumes, all slices of one varied alike.

    Returns:
        Images `(VOLUMES, DEPTH, c / 2, c / 2, 3) float32 in [0, 1]`, and how much of each of their pixels is tumour,
        `(VOLUMES, DEPTH, c / 2, c / 2, 1) float32`.
    """
    shuffled = np.random.default_rng((spec.seed, epoch)).permutation(len(patients))
    rng = np.random.default_rng((spec.seed, epoch, step, 2))
    chosen = np.take(shuffled, np.arange(step * VOLUMES, (step + 1) * VOLUMES), mode="wrap")
    images, masks = zip(*(_crop(cache, patients[place], spec, rng) for place in chosen), strict=True)
    return np.stack(images), np.stack(masks)


def _crop(
    cache: SliceCache, patient: str, spec: TrainSpec, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows = cache.rows(patient)
    half = spec.crop_px // 2
    images, masks = np.zeros((DEPTH, half, half, 3), np.float32), np.zeros((DEPTH, half, half, 1), np.float32)
    first = int(rng.integers(max(1, len(rows) - DEPTH + 1)))
    before = rng.bit_generator.state
    for place, row in enumerate(rows[first : first + DEPTH]):
        rng.bit_generator.state = before
        image, mask = augment(
            cache.images[row],
            [cache.masks[row]],
            crop_px=spec.crop_px,
            mode=spec.augment,
            missing_share=spec.missing_share,
            rng=rng,
        )
        images[place], masks[place] = halved(image), halved(mask)
    return images, masks


def halved(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take the mean of each 2 x 2 pixels: `(..., H, W, C)` to `(..., H / 2, W / 2, C)`."""
    *lead, height, width, channels = image.shape
    return image.reshape(*lead, height // 2, 2, width // 2, 2, channels).mean(axis=(-4, -2), dtype=np.float32)


def logits(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Run the network on a whole volume, `(N, H, W, 3) uint8`: logits `(N, H, W) float32` on its own pixels."""
    small = halved(images.astype(np.float32) / np.float32(255.0))
    filled = np.pad(small, ((0, -len(small) % _MULTIPLE), (0, 0), (0, 0), (0, 0)))
    found = np.asarray(model(filled[np.newaxis], training=False), np.float32)[0, : len(small), ..., 0]
    return logits_to_size(found, *images.shape[1:3])
