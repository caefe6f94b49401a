"""Whether a pixel at probability p is tumour in a share p of the cases: pure functions over counts of logits.

Logits are counted in bins, so that millions of pixels are a few hundred numbers: `(B, 2) int64`, pixels that are not
tumour and pixels that are, by the bin of their logit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LOGIT_END, LOGIT_BINS = 16.0, 512
LEAST_PROBABILITY = 0.01
"""Reliability is of pixels above this before any scaling: nine in ten pixels of a head are surely none."""
_STEPS, _GOLDEN = 60, (5**0.5 - 1) / 2
_TEMPERATURES = (0.25, 8.0)


def count_logits(logits: NDArray[np.float32], reference: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count pixels by logit: `(...) float32` and `(...) bool` of the same shape to `(B, 2) int64`."""
    width = 2 * LOGIT_END / LOGIT_BINS
    places = np.clip(np.floor((logits.ravel() + LOGIT_END) / width), 0, LOGIT_BINS - 1).astype(np.int64)
    both = np.bincount(2 * places + reference.ravel(), minlength=2 * LOGIT_BINS)
    return np.asarray(both.reshape(LOGIT_BINS, 2), np.int64)


def bin_probabilities(temperature: float = 1.0) -> NDArray[np.float64]:
    """Return the probability of each bin's middle, its logit divided by a temperature: `(B,) float64`."""
    width = 2 * LOGIT_END / LOGIT_BINS
    middles = -LOGIT_END + (np.arange(LOGIT_BINS) + 0.5) * width
    return np.asarray(1.0 / (1.0 + np.exp(-middles / temperature)), np.float64)


def best_temperature(counts: NDArray[np.int64]) -> float:
    """Return the temperature of the greatest likelihood (Guo and others, ICML 2017), searched by golden section.

    Args:
        counts: `(B, 2) int64`; all pixels count.
    """
    low, high = _TEMPERATURES
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _surprise(counts, left) <= _surprise(counts, right):
            high = right
        else:
            low = left
    return (low + high) / 2


def reliability(
    counts: NDArray[np.int64], *, temperature: float = 1.0, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Return for each bin of probability its mean probability, its share of tumour and its pixels; empty ones left out.

    Pixels whose probability was below `LEAST_PROBABILITY` before scaling are left out.
    """
    counted = counts[bin_probabilities() >= LEAST_PROBABILITY]
    p = bin_probabilities(temperature)[bin_probabilities() >= LEAST_PROBABILITY]
    places = np.minimum((p * bins).astype(np.int64), bins - 1)
    found = []
    for place in range(bins):
        inside = places == place
        pixels = int(counted[inside].sum())
        if pixels:
            mean = float((p[inside] * counted[inside].sum(axis=1)).sum()) / pixels
            found.append((mean, int(counted[inside, 1].sum()) / pixels, pixels))
    return found


def calibration_error(found: list[tuple[float, float, int]]) -> float:
    """Return the expected calibration error of `reliability` (Naeini and others, AAAI 2015); 0 without any pixel."""
    pixels = sum(count for _, _, count in found)
    return sum(abs(p - share) * count for p, share, count in found) / pixels if pixels else 0.0


def _surprise(counts: NDArray[np.int64], temperature: float) -> float:
    p = bin_probabilities(temperature)
    return -float((counts[:, 1] * np.log(p)).sum() + (counts[:, 0] * np.log1p(-p)).sum())
