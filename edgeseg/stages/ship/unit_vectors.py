"""Golden vectors for the steps around a network: normalisation, resampling, thresholding, and components, by number."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import post_process
from edgeseg.imaging import histograms, logits_to_size, quantise, quantise_images, tables, to_network
from edgeseg.results.golden_vectors import ComponentVector, GoldenUnits, LogitVector, ResampleVector, TableVector
from edgeseg.runtime.self_test import encode_runs
from edgeseg.specs import Contract, Intensity, PostProcessing, VariantSpec
from edgeseg.stages.ship.input_vectors import input_vectors
from edgeseg.stages.ship.trust_vectors import region_trust_vectors, trust_vectors

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
        tables=tuple(
            _tables(replace(contract, normalisation=kind, intensity=spec), empty=empty)
            for kind, spec in _NORMALISATIONS
            for empty in (False, True)
        ),
        trust=(trust := trust_vectors()),
        region_trust=region_trust_vectors(trust),
        inputs=input_vectors(),
    )


_RULES = (
    (PostProcessing(min_area_px=4), False),
    (PostProcessing(min_volume_px=8), True),
    (PostProcessing(min_share=0.5), True),
    (PostProcessing(min_volume_px=3, min_share=0.2), True),
)


_MEAN, _STD = (0.2, 0.3, 0.25), (0.21, 0.17, 0.3)
_NORMALISATIONS = (
    ("unit", None),
    ("mean-std", Intensity(mean=_MEAN, std=_STD)),
    ("z-score", Intensity()),
    ("z-score", Intensity(over="volume", pixels="non-zero")),
    ("z-score", Intensity(over="volume", pixels="non-zero", zero_stays=False, together=True)),
    ("percentile", Intensity(low=1.0, high=99.0)),
    ("percentile", Intensity(over="volume", pixels="non-zero", low=0.5, high=99.5)),
    ("percentile", Intensity(over="volume", together=True, low=10.0, high=99.0, then="z-score")),
    ("percentile", Intensity(low=2.0, high=98.0, then="mean-std", mean=_MEAN, std=_STD)),
)
_LEVELS = tuple(range(0, 256, 15))
_CODE_SCALE, _CODE_ZERO_POINT = 0.03, -20


def _tables(contract: Contract, *, empty: bool) -> TableVector:
    """Three slices of a volume, or one; the pre-contrast channel black where it is to be `empty`."""
    sizes = _SIZES[:3] if contract.by_volume else _SIZES[:1]
    images = [_pattern(height, width) // (number + 1) for number, (height, width) in enumerate(sizes)]
    for image in images:
        image[..., 0] *= not empty
    counts = np.sum([histograms(image[np.newaxis]) for image in images], axis=0)
    found = tables(counts, contract)[:, _LEVELS]
    return TableVector(
        normalisation=contract.normalisation,
        scale=contract.scale,
        intensity=contract.intensity,
        slices=tuple(_flat(image) for image in images),
        levels=_LEVELS,
        float_bits=tuple(_flat(row.view(np.int32)) for row in found),
        code_scale=_CODE_SCALE,
        code_zero_point=_CODE_ZERO_POINT,
        codes=tuple(_flat(quantise(row, _CODE_SCALE, _CODE_ZERO_POINT)) for row in found),
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
