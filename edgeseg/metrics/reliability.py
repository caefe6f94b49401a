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
_STEPS, _RIDGE, _END = 60, 1e-3, 1e-9


def count_logits(logits: NDArray[np.float32], reference: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count pixels by logit: `(...) float32` and `(...) bool` of the same shape to `(B, 2) int64`."""
    width = 2 * LOGIT_END / LOGIT_BINS
    places = np.clip(np.floor((logits.ravel() + LOGIT_END) / width), 0, LOGIT_BINS - 1).astype(np.int64)
    both = np.bincount(2 * places + reference.ravel(), minlength=2 * LOGIT_BINS)
    return np.asarray(both.reshape(LOGIT_BINS, 2), np.int64)


def bin_probabilities(slope: float = 1.0, offset: float = 0.0) -> NDArray[np.float64]:
    """Return the probability of each bin's middle, the logit scaled and shifted: `(B,) float64`."""
    return np.asarray(1.0 / (1.0 + np.exp(-(slope * _middles() + offset))), np.float64)


def platt(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Fit slope and offset of the greatest likelihood (Platt, Advances in Large Margin Classifiers, 1999).

    Args:
        counts: `(B, 2) int64`; pixels below `LEAST_PROBABILITY` are left out.

    Returns:
        Slope and offset; 1 and 0 where no pixel is left that is tumour, or none that is not.
    """
    counted, middles = counts[_told()].astype(np.float64), _middles()[_told()]
    if not counted.sum(axis=0).all():
        return 1.0, 0.0
    design, found = np.column_stack([middles, np.ones(len(middles))]), np.array([1.0, 0.0])
    for _ in range(_STEPS):
        step = _newton(design, counted, found)
        while (
            _surprise(design, counted, found + step) > _surprise(design, counted, found) and np.abs(step).max() > _END
        ):
            step = step / 2
        found = found + step
        if np.abs(step).max() <= _END:
            break
    return float(found[0]), float(found[1])


def _newton(
    design: NDArray[np.float64], counted: NDArray[np.float64], found: NDArray[np.float64]
) -> NDArray[np.float64]:
    pixels, p = counted.sum(axis=1), 1.0 / (1.0 + np.exp(-design @ found))
    bend = (design * (pixels * p * (1.0 - p))[:, np.newaxis]).T @ design + _RIDGE * np.eye(2)
    return np.asarray(np.linalg.solve(bend, design.T @ (counted[:, 1] - pixels * p)), np.float64)


def _surprise(design: NDArray[np.float64], counted: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return the negative log-likelihood, of logits far out too."""
    logits = design @ found
    return float((counted[:, 1] * np.logaddexp(0.0, -logits) + counted[:, 0] * np.logaddexp(0.0, logits)).sum())


def reliability(
    counts: NDArray[np.int64], *, slope: float = 1.0, offset: float = 0.0, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Return for each bin of probability its mean probability, its share of tumour and its pixels; empty ones left out.

    Pixels whose probability was below `LEAST_PROBABILITY` before scaling are left out.
    """
    counted, p = counts[_told()], bin_probabilities(slope, offset)[_told()]
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


def _middles() -> NDArray[np.float64]:
    width = 2 * LOGIT_END / LOGIT_BINS
    return np.asarray(-LOGIT_END + (np.arange(LOGIT_BINS) + 0.5) * width, np.float64)


def _told() -> NDArray[np.bool_]:
    """Say which bins count."""
    return np.asarray(bin_probabilities() >= LEAST_PROBABILITY, np.bool_)
