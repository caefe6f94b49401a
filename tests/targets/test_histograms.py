"""Histograms and the ranges that follow from them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import OptionError
from edgeseg.targets.histograms import BINS, METHODS, Histogram, choose_range

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(0.0, 1.0, 100_000).astype(np.float32)
OUTLIERS = np.concatenate([NORMAL, np.full(2, 60.0, np.float32), np.full(2, -40.0, np.float32)])


def histogram(values: NDArray[np.float32], parts: int = 1) -> Histogram:
    made = Histogram()
    for part in np.array_split(values, parts):
        made.add(part)
    return made


def error(values: NDArray[np.float32], low: float, high: float) -> float:
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255
    zero = np.round(-low / scale)
    codes = np.clip(np.round(values / scale) + zero, 0, 255)
    return float(np.square((codes - zero) * scale - values).mean())


def test_neither_order_nor_stride_changes_a_histogram() -> None:
    whole, parts = histogram(OUTLIERS), histogram(OUTLIERS[::-1], parts=17)
    assert np.array_equal(whole.counts, parts.counts)
    assert (whole.width, whole.low, whole.high) == (parts.width, parts.low, parts.high)
    assert whole.counts.sum() == len(OUTLIERS)
    assert whole.width * BINS / 4 <= 60.0 <= whole.width * BINS / 2


def test_counts_are_those_of_the_bins() -> None:
    made = histogram(NORMAL)
    edges = (np.arange(BINS + 1) - BINS // 2) * made.width
    assert np.array_equal(made.counts, np.histogram(NORMAL, edges)[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sign", [1, -1])
def test_ranges_of_one_sided_values_lie_within_them_and_keep_the_end_at_zero(method: str, sign: int) -> None:
    values = (sign * np.maximum(OUTLIERS, 0)).astype(np.float32)
    low, high = choose_range(histogram(values), method)
    assert values.min() <= low <= high <= values.max()
    assert (low if sign == 1 else high) == 0.0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sign", [1, -1])
def test_values_that_do_not_reach_zero_have_a_range_all_the_same(method: str, sign: int) -> None:
    values = (sign * RNG.uniform(0.9, 2.0, 10_000)).astype(np.float32)
    low, high = choose_range(histogram(values), method)
    assert max(abs(low), abs(high)) > 1.5


def test_min_max_takes_all_and_others_cut_outliers() -> None:
    made = histogram(OUTLIERS)
    assert choose_range(made, "min-max") == (-40.0, 60.0)
    for method in ("percentile", "entropy"):
        low, high = choose_range(made, method)
        assert -25.0 < low < -2.5, method
        assert 2.5 < high < 25.0, method


def test_percentile_keeps_the_middle_of_the_distribution() -> None:
    low, high = choose_range(histogram(NORMAL), "percentile")
    wanted = np.quantile(NORMAL, [5e-5, 1 - 5e-5])
    assert (low, high) == pytest.approx(tuple(wanted), abs=0.1)


def test_mse_has_the_least_error_of_all() -> None:
    values = np.maximum(OUTLIERS, 0)
    made = histogram(values)
    errors = {method: error(values, *choose_range(made, method)) for method in METHODS}
    assert errors["mse"] == pytest.approx(min(errors.values()), rel=0.02)
    assert errors["mse"] < errors["min-max"] < errors["percentile"]


def test_a_layer_that_gives_one_value_has_that_range() -> None:
    for method in METHODS:
        assert choose_range(histogram(np.full(9, 0.5, np.float32)), method) == (0.5, 0.5)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(OptionError, match="is 'best'; choose one of: min-max, percentile, entropy, mse"):
        choose_range(histogram(NORMAL), "best")
