"""Golden vectors for the steps around a network: normalisation, resampling, thresholding, and components, by number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import post_process
from edgeseg.imaging import logits_to_size, quantise_images, to_network
from edgeseg.results.golden_vectors import ComponentVector, GoldenUnits, LogitVector, ResampleVector
from edgeseg.runtime.self_test import encode_runs
from edgeseg.specs import Contract, PostProcessing, VariantSpec

_SIZES = ((6, 5), (8, 8), (12, 16), (3, 11))
_GRID = (8, 8)


def units() -> GoldenUnits:
    """Make the vectors; they depend on nothing but edgeseg's own steps."""
    contract = Contract(
        variant=VariantSpec(),
        tier="custom",
        target="onnx-fp32",
        layout="NHWC",
        trained_on="none",
        height=_GRID[0],
        width=_GRID[1],
    )
    images = [_pattern(height, width) for height, width in _SIZES]
    codes = quantise_images(np.arange(256, dtype=np.uint8), contract, 0.004, -120)
    return GoldenUnits(
        resampled=tuple(
            ResampleVector(
                normalisation=normalisation,
                height=image.shape[0],
                width=image.shape[1],
                image=_flat(image),
                network_height=_GRID[0],
                network_width=_GRID[1],
                network_input=_flat(to_network(image[np.newaxis], replace(contract, normalisation=normalisation))[0]),
            )
            for normalisation in ("unit", "slice")
            for image in images
        ),
        logits=tuple(_logits(height, width) for height, width in _SIZES),
        quantised_scale=0.004,
        quantised_zero_point=-120,
        quantised_bytes=_flat(codes),
        components=tuple(_components(spec, volume=volume) for spec, volume in _RULES),
    )


_RULES = (
    (PostProcessing(min_area_px=4), False),
    (PostProcessing(min_volume_px=8), True),
    (PostProcessing(min_share=0.5), True),
    (PostProcessing(min_volume_px=3, min_share=0.2), True),
)


def _pattern(height: int, width: int) -> NDArray[np.uint8]:
    """Scattered bytes by a fixed formula, some of them black: `(height, width, 3) uint8`."""
    index = np.arange(height * width * 3, dtype=np.int64).reshape(height, width, 3)
    values = (index * index * 4241 + index * 7) % 65521 % 256
    return np.asarray(np.where(values < 40, 0, values), dtype=np.uint8)


def _logits(height: int, width: int) -> LogitVector:
    logits = np.asarray((_pattern(*_GRID)[..., 0].astype(np.float32) - 128) / 16, dtype=np.float32)
    back = logits_to_size(logits[np.newaxis], height, width)[0]
    return LogitVector(
        network_height=_GRID[0],
        network_width=_GRID[1],
        logits=tuple(float(value) for value in logits.ravel()),
        height=height,
        width=width,
        resampled=tuple(round(float(value), 5) for value in back.ravel()),
    )


def _components(spec: PostProcessing, *, volume: bool) -> ComponentVector:
    """Three slices of scattered pixels, joined in many ways."""
    masks = np.stack([_pattern(12, 10)[..., channel] > 150 for channel in range(3)])
    kept = post_process(masks, spec, volume=volume)
    return ComponentVector(
        height=masks.shape[1],
        width=masks.shape[2],
        volume=volume,
        rule=spec,
        runs=tuple(encode_runs(mask) for mask in masks),
        kept=tuple(encode_runs(mask) for mask in kept),
    )


def _flat(array: NDArray[np.generic]) -> tuple[int, ...]:
    return tuple(int(value) for value in array.ravel())
