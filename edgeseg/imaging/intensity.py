"""Normalisation: a table of 256 float32 values for each channel, from the histogram of a slice or of a volume.

The arithmetic is float64, one operation after another in the order of the grey values, and uses nothing but sums,
products, quotients and square roots, so that a device in another language gets the same 256 numbers to the last bit.
docs/reference/contract.md has every step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseg.imaging.grid import to_network
from edgeseg.specs import NORMALISATIONS, Contract, Intensity
from edgeseg.specs.normalisation import MEAN_STD, NON_ZERO, PERCENTILE, Z_SCORE

Tables = NDArray[np.float32]
"""`(C, 256) float32`: what each byte of each channel becomes, channels in the contract's order."""

LEVELS = 256
LEAST_DEVIATION = 1e-9
"""A channel whose values deviate by no more holds nothing that could be normalised; it becomes 0."""

_Counts = Sequence[int]


def histograms(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Count the grey values of each channel over all slices: `(N, H, W, C) uint8` to `(C, 256) int64`."""
    counted = np.empty((images.shape[3], LEVELS), np.int64)
    for channel in range(images.shape[3]):
        counted[channel] = np.bincount(images[..., channel].ravel(), minlength=LEVELS)
    return counted


def tables(counts: NDArray[np.int64] | None, contract: Contract) -> Tables:
    """Return what each byte of each channel becomes.

    Args:
        counts: `(C, 256) int64`, from `histograms` of the slice or of the volume on the network's grid; None is enough
            where `is_fixed` says so.
        contract: its normalisation.

    Returns:
        `(C, 256) float32`, finite.
    """
    channels, spec = len(contract.channels), contract.intensity
    if spec is None:
        levels = np.arange(LEVELS, dtype=np.float32) * np.float32(contract.scale)
        return np.tile(levels, (channels, 1))
    if contract.normalisation == MEAN_STD:
        values = [level * contract.scale for level in range(LEVELS)]
        rows = [_standardised(values, mean, std) for mean, std in zip(spec.mean, spec.std, strict=True)]
        return np.array(rows, np.float64).astype(np.float32)
    assert counts is not None
    counted = [[int(count) for count in row] for row in counts]
    if spec.pixels == NON_ZERO:
        counted = [[0, *row[1:]] for row in counted]
    every = [sum(column) for column in zip(*counted, strict=True)]
    rows = [_measured(contract.normalisation, spec, row, every, channel) for channel, row in enumerate(counted)]
    found = np.array(rows, np.float64).astype(np.float32)
    if spec.pixels == NON_ZERO and spec.zero_stays:
        found[:, 0] = 0.0
    return found


def is_fixed(contract: Contract) -> bool:
    """Tell whether a contract's tables depend on no pixels."""
    return contract.normalisation in (*NORMALISATIONS, MEAN_STD)


def known_range(contract: Contract) -> tuple[float, float] | None:
    """Return between which float32 values a network's input lies, whatever the slices; None where they decide it."""
    if is_fixed(contract):
        ends = tables(None, contract)[:, [0, -1]]
    elif contract.normalisation == PERCENTILE and contract.intensity and contract.intensity.then != Z_SCORE:
        spec, unit = contract.intensity, [0.0, 1.0]
        rows = [_standardised(unit, *pair) for pair in zip(spec.mean, spec.std, strict=True)] or [unit]
        ends = np.array(rows, np.float64).astype(np.float32)
    else:
        return None
    return min(0.0, float(ends.min())), max(0.0, float(ends.max()))


def volume_tables(slices: Iterable[NDArray[np.uint8]], contract: Contract) -> Tables | None:
    """Count the grey values of a whole volume and return its tables; None where the contract needs no such count.

    Args:
        slices: stacks `(N, H, W, C) uint8` as `to_network` gives them, all slices of the volume among them; read only
            where they are needed.
        contract: its normalisation.
    """
    if not contract.by_volume:
        return None
    counts = np.zeros((len(contract.channels), LEVELS), np.int64)
    for images in slices:
        counts += histograms(images)
    return tables(counts, contract)


def prepared(
    images: NDArray[np.uint8], contract: Contract, channels: tuple[str, ...] | None = None
) -> tuple[NDArray[np.uint8], Tables | None]:
    """Bring the slices of one volume to the network's grid, with what their bytes become where that hangs on all.

    Both are what `logits` of a predictor takes.

    Args:
        images: `(N, h, w, C) uint8`, all slices of the volume as they are stored.
        contract: says the grid and the normalisation.
        channels: what the C channels are, as in `to_network`.

    Returns:
        `(N, H, W, D) uint8` as `to_network` gives them, and `volume_tables` of them.

    Raises:
        ImageError: as `to_network`.
        ContractError: as `to_network`.
    """
    slices = to_network(images, contract, channels)
    return slices, volume_tables([slices], contract)


def own_tables(images: NDArray[np.uint8], contract: Contract, given: Tables | None) -> list[Tables]:
    """Return the tables of each slice: the fixed ones, those of its volume where `given`, or else those of its own."""
    if given is not None:
        return [given] * len(images)
    if is_fixed(contract):
        return [tables(None, contract)] * len(images)
    return [tables(histograms(image[np.newaxis]), contract) for image in images]


def looked_up(images: NDArray[np.uint8], found: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Replace each byte by its entry: `(N, H, W, C) uint8` and for each slice `(C, 256)`; gives that dtype."""
    result = np.empty(images.shape, found[0].dtype if found else np.float32)
    for image, table, into in zip(images, found, result, strict=True):
        for channel, row in enumerate(table):
            into[..., channel] = row[image[..., channel]]
    return result


def normalise(images: NDArray[np.uint8], contract: Contract, given: Tables | None = None) -> NDArray[np.float32]:
    """Give bytes the values that the network was trained on.

    Args:
        images: `(N, H, W, C) uint8` as `to_network` gives them; any shape where the tables are those of `scale` alone.
        contract: its normalisation.
        given: the tables of the volume that the slices are of; without them a slice is normalised by its own pixels,
            as if it were the whole volume.

    Returns:
        `float32` of the same shape, NHWC; in [0, 1] for `unit` and `slice` at a scale of 1 / 255.
    """
    if contract.intensity is None:
        return images.astype(np.float32) * np.float32(contract.scale)
    return np.asarray(looked_up(images, own_tables(images, contract, given)), dtype=np.float32)


def network_input(
    images: NDArray[np.uint8],
    contract: Contract,
    given: Tables | None = None,
    channels: tuple[str, ...] | None = None,
) -> NDArray[np.float32]:
    """Do steps 1 and 2 at once: `(N, h, w, C) uint8` as stored to what a float network takes, `(N, H, W, D) float32`.

    `given` is as in `normalise`, `channels` as in `to_network`.

    Raises:
        ImageError: as `to_network`.
        ContractError: as `to_network`.
    """
    return normalise(to_network(images, contract, channels), contract, given)


def _measured(kind: str, spec: Intensity, counts: _Counts, every: _Counts, channel: int) -> list[float]:
    """Return the 256 values of one channel, from its counts and from those of all channels together."""
    first = every if spec.together else counts
    if kind == Z_SCORE:
        levels = [float(level) for level in range(LEVELS)]
        return _standardised(levels, *_mean_and_deviation(levels, first))
    low, high = (_percentile(first, share) for share in (spec.low, spec.high))
    if not high > low:
        return [0.0] * LEVELS
    values = [min(max((level - low) / (high - low), 0.0), 1.0) for level in range(LEVELS)]
    if spec.then == Z_SCORE:
        return _standardised(values, *_mean_and_deviation(values, counts))
    return _standardised(values, spec.mean[channel], spec.std[channel]) if spec.then == MEAN_STD else values


def _standardised(values: Sequence[float], mean: float, deviation: float) -> list[float]:
    if deviation <= LEAST_DEVIATION:
        return [0.0] * len(values)
    return [(value - mean) / deviation for value in values]


def _mean_and_deviation(values: Sequence[float], counts: _Counts) -> tuple[float, float]:
    """Mean and population standard deviation of the values of so many pixels each; 0, 0 of no pixels."""
    total = sum(counts)
    if total == 0:
        return 0.0, 0.0
    mean = _sum(count * value for count, value in zip(counts, values, strict=True)) / total
    squares = _sum(count * ((value - mean) * (value - mean)) for count, value in zip(counts, values, strict=True))
    return mean, math.sqrt(squares / total)


def _sum(terms: Iterable[float]) -> float:
    """Add one after another; from Python 3.12 on, `sum` compensates, which no other language does."""
    total = 0.0
    for term in terms:
        total += term
    return total


def _percentile(counts: _Counts, share: float) -> float:
    """The grey value below which `share` percent of the pixels lie, linear between neighbours; 0 of no pixels."""
    total = sum(counts)
    if total == 0:
        return 0.0
    place = share * (total - 1) / 100.0
    rank = math.floor(place)
    low, high = _ranked(counts, rank), _ranked(counts, min(rank + 1, total - 1))
    return low + (high - low) * (place - rank)


def _ranked(counts: _Counts, rank: int) -> int:
    """The grey value of the pixel at a rank, from 0 on, in the order of the values."""
    for level, count in enumerate(counts):
        rank -= count
        if rank < 0:
            return level
    return LEVELS - 1
