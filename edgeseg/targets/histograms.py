"""Histograms of what layers give, and the ranges that int8 codes should stand for.

A histogram's bins are fixed fractions of a power of two on both sides of zero, so that widening it joins pairs of
bins exactly: one pass over the slices is enough, and their order and the stride they come in change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import OptionError

MIN_MAX, PERCENTILE, ENTROPY, MSE = "min-max", "percentile", "entropy", "mse"
METHODS = (MIN_MAX, PERCENTILE, ENTROPY, MSE)
BINS, CODES = 4096, 256
TAIL = 5e-5
"""The share of values that `percentile` cuts off at each end: it keeps the middle 99.99 %."""
_CANDIDATES, _NARROWEST, _ROUNDS = 96, 1 / 16, 3
"""How many ends the searches try, the least share of the full range among them, and how often each end is moved."""

Cost = Callable[["Histogram", float, float], float]


class Histogram:
    """How often values of each size came up.

    Attributes:
        counts: `(4096,) int64`; bin i holds the values in `[i - 2048, i - 2047) * width`.
        width: of a bin, a power of two.
        low: the smallest value.
        high: the largest value.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self.counts: NDArray[np.int64] = np.zeros(BINS, np.int64)
        self.width = 2.0**-30
        self.low, self.high = np.inf, -np.inf

    def add(self, values: NDArray[np.float32]) -> None:
        """Count values, of any shape; all are finite."""
        low, high = float(values.min()), float(values.max())
        self.low, self.high = min(self.low, low), max(self.high, high)
        while not (low >= -BINS / 2 * self.width and high < BINS / 2 * self.width):
            self._widen()
        places = np.floor(values.ravel() * np.float32(1 / self.width)).astype(np.int32) + BINS // 2
        self.counts += np.bincount(places, minlength=BINS)

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each bin, `(4096,)`; the extreme values for those that hold them."""
        middle = (np.arange(BINS) - BINS // 2 + 0.5) * self.width
        return np.clip(middle, self.low, self.high)

    def _widen(self) -> None:
        pairs = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts = np.zeros(BINS, np.int64)
        self.counts[BINS // 4 : -BINS // 4] = pairs
        self.width *= 2


def choose_range(histogram: Histogram, method: str) -> tuple[float, float]:
    """Choose the range of a layer: float32 values `low <= high` within the smallest and the largest value.

    Args:
        histogram: of at least one value.
        method: one of `METHODS`. `min-max` takes every value in. `percentile` cuts `TAIL` of the values off at each
            end. `mse` takes the ends whose codes lie nearest to the values in the mean square (Nagel et al., "A White
            Paper on Neural Network Quantization", arXiv 2106.08295, section 3.1). `entropy` takes those whose codes
            keep most of the distribution in the sense of Kullback and Leibler (Migacz, "8-bit Inference with
            TensorRT", GTC 2017), for 256 codes of an asymmetric range.

    Raises:
        OptionError: for another method.
    """
    check_method(method)
    if method == MIN_MAX or histogram.low == histogram.high:
        return histogram.low, histogram.high
    if method == PERCENTILE:
        return _percentile(histogram)
    return _search(histogram, _squared_error if method == MSE else _divergence)


def check_method(method: str) -> None:
    """Refuse an unknown method.

    Raises:
        OptionError: with the methods there are.
    """
    if method not in METHODS:
        raise OptionError(f"the calibration method is '{method}'; choose one of: {', '.join(METHODS)}")


def _percentile(histogram: Histogram) -> tuple[float, float]:
    share = np.cumsum(histogram.counts) / histogram.counts.sum()
    first, last = int(np.searchsorted(share, TAIL, side="right")), int(np.searchsorted(share, 1.0 - TAIL))
    low = (first - BINS // 2) * histogram.width
    high = (last + 1 - BINS // 2) * histogram.width
    return _float32(max(low, histogram.low)), _float32(min(high, histogram.high))


def _search(histogram: Histogram, cost: Cost) -> tuple[float, float]:
    """Move one end, then the other, to where the cost is least; codes hold zero, so no end crosses it."""
    shares = np.linspace(_NARROWEST, 1.0, _CANDIDATES)
    low, high = histogram.low, histogram.high
    for _ in range(_ROUNDS):
        before = (low, high)
        if histogram.high > 0:
            ends = [histogram.high * share for share in shares]
            high = _least(ends, [cost(histogram, low, end) for end in ends])
        if histogram.low < 0:
            ends = [histogram.low * share for share in shares]
            low = _least(ends, [cost(histogram, end, high) for end in ends])
        if (low, high) == before:
            break
    return _float32(low), _float32(high)


def _least(ends: list[float], costs: list[float]) -> float:
    """Return the end whose cost is least; the last, which cuts nothing off, where none can be judged."""
    best = min(range(len(ends)), key=costs.__getitem__)
    return ends[best] if costs[best] < float("inf") else ends[-1]


def _codes(histogram: Histogram, low: float, high: float) -> tuple[NDArray[np.float64], float, float]:
    """Return the code of each bin, 0 to 255, with the scale and the zero point of an asymmetric range."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (CODES - 1)
    zero = float(np.round(-low / scale))
    return np.clip(np.round(histogram.centres / scale) + zero, 0, CODES - 1), scale, zero


def _squared_error(histogram: Histogram, low: float, high: float) -> float:
    codes, scale, zero = _codes(histogram, low, high)
    return float(np.dot(histogram.counts, ((codes - zero) * scale - histogram.centres) ** 2))


def _divergence(histogram: Histogram, low: float, high: float) -> float:
    """Kullback-Leibler divergence of what 256 codes keep from the distribution that is cut at the two ends.

    Exact zeros, which every code table holds and a ReLU gives in masses, count as often as the bin beside them.
    """
    counts = histogram.counts.astype(np.float64)
    if histogram.low >= 0:
        counts[BINS // 2] = counts[BINS // 2 + 1]
    codes, _, _ = _codes(histogram, low, high)
    centres = histogram.centres
    inside = (centres >= min(low, 0.0)) & (centres <= max(high, 0.0))
    places = codes.astype(np.int64)
    kept = np.where(inside, counts, 0.0)
    cut = kept.copy()
    where = np.flatnonzero(inside)
    if not where.size:  # no value comes near zero, and the range ends before the first
        return float("inf")
    cut[where[0]] += counts[: where[0]].sum()
    cut[where[-1]] += counts[where[-1] + 1 :].sum()
    filled = cut > 0
    sums = np.bincount(places[filled], weights=kept[filled], minlength=CODES)
    bins = np.bincount(places[filled], minlength=CODES)
    spread = sums[places[filled]] / bins[places[filled]]
    if not spread.sum():
        return float("inf")
    p, q = cut[filled] / cut.sum(), np.maximum(spread / spread.sum(), 1e-12)
    return float(np.dot(p, np.log(p / q)))


def _float32(value: Any) -> float:
    return float(np.float32(value))
