from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseg.metrics import (
    BOOTSTRAP_SAMPLES,
    bootstrap_interval,
    lower_bound,
    median_bounds,
    median_ratio_bounds,
    paired_interval,
)

SCORES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8)


def test_ten_thousand_resamples_are_the_rule() -> None:
    assert BOOTSTRAP_SAMPLES == 10_000


def test_equals_the_exact_bootstrap_distribution_of_three_patients() -> None:
    values = [0.0, 0.3, 0.9]
    means = sorted(sum(draw) / 3 for draw in itertools.product(values, repeat=3))
    low, high = np.percentile(np.repeat(means, 1000), [2.5, 97.5])
    interval = bootstrap_interval(values, seed=3)
    assert interval.mean == pytest.approx(0.4)
    assert interval.low == pytest.approx(low)
    assert interval.high == pytest.approx(high)


def test_agrees_with_the_normal_interval_on_many_patients() -> None:
    values = np.random.default_rng(7).normal(0.8, 0.1, size=400)
    interval = bootstrap_interval(values.tolist(), seed=0)
    half = 1.96 * values.std() / math.sqrt(values.size)
    assert interval.low == pytest.approx(values.mean() - half, abs=0.001)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.001)


def test_same_seed_same_interval_and_another_seed_another() -> None:
    values = np.random.default_rng(1).random(20).tolist()
    assert bootstrap_interval(values, seed=5) == bootstrap_interval(values, seed=5)
    assert bootstrap_interval(values, seed=5) != bootstrap_interval(values, seed=6)


def test_one_patient_has_no_width() -> None:
    interval = bootstrap_interval([0.7], seed=0)
    assert (interval.mean, interval.low, interval.high) == (0.7, 0.7, 0.7)


def test_a_number_of_resamples_that_is_no_multiple_of_the_block() -> None:
    interval = bootstrap_interval([0.0, 1.0], seed=0, samples=777)
    assert 0.0 <= interval.low <= 0.5 <= interval.high <= 1.0


@settings(deadline=None, max_examples=25)
@given(SCORES, st.randoms(use_true_random=False))
def test_order_of_patients_does_not_matter_and_bounds_hold(values: list[float], random: object) -> None:
    interval = bootstrap_interval(values, seed=0, samples=400)
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert bootstrap_interval(shuffled, seed=0, samples=400) == interval
    slack = 1e-12
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack
    assert interval.mean == pytest.approx(math.fsum(values) / len(values))


def test_pairing_removes_what_patients_share() -> None:
    baseline = np.random.default_rng(2).random(30)
    paired = paired_interval((baseline - 0.01).tolist(), baseline.tolist(), seed=0)
    assert paired.mean == pytest.approx(-0.01)
    assert paired.high - paired.low < 1e-9
    alone = bootstrap_interval(baseline.tolist(), seed=0)
    assert alone.high - alone.low > 0.1


def test_paired_sign_is_values_minus_baseline() -> None:
    interval = paired_interval([0.5, 0.6, 0.9], [0.4, 0.6, 0.6], seed=0)
    assert interval.mean == pytest.approx(0.4 / 3)
    flipped = paired_interval([0.4, 0.6, 0.6], [0.5, 0.6, 0.9], seed=0)
    assert flipped.mean == pytest.approx(-0.4 / 3)
    assert flipped.low == pytest.approx(-interval.high, abs=0.02)


@pytest.mark.parametrize("values", [[], [math.nan], [0.1, math.inf]])
def test_values_that_have_no_mean_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval(values, seed=0)


def test_pairs_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="same patients"):
        paired_interval([0.1, 0.2], [0.1], seed=0)


def test_the_median_has_the_bounds_of_its_exact_bootstrap_distribution() -> None:
    values = [0.0, 0.3, 0.5, 0.9]
    medians = [float(np.median(draw)) for draw in itertools.product(values, repeat=4)]
    low, high = np.percentile(np.repeat(medians, 100), [2.5, 97.5])
    assert list(median_bounds(values, seed=3)) == pytest.approx([low, high])
    assert median_bounds(values[::-1], seed=3) == median_bounds(values, seed=3)
    assert median_bounds([0.7], seed=0) == (0.7, 0.7)
    with pytest.raises(ValueError, match="one finite figure per patient"):
        median_bounds([], seed=0)


def test_a_one_sided_bound_is_the_fifth_percentile_of_the_means() -> None:
    values = [0.0, 0.3, 0.5, 0.9]
    means = [float(np.mean(draw)) for draw in itertools.product(values, repeat=4)]
    assert lower_bound(values, seed=1) == pytest.approx(np.percentile(means, 5.0), abs=0.01)
    assert lower_bound([-0.01] * 5, seed=0) == pytest.approx(-0.01)
    assert bootstrap_interval(values, seed=1).low < lower_bound(values, seed=1) < np.mean(values)


def test_a_ratio_of_medians_draws_pairs_whole() -> None:
    rng = np.random.default_rng(0)
    host = rng.uniform(1, 9, 60)
    low, high = median_ratio_bounds((host * 4).tolist(), host.tolist(), seed=0)
    assert (low, high) == pytest.approx((4.0, 4.0))
    low, high = median_ratio_bounds((host * 4).tolist(), rng.permutation(host).tolist(), seed=0)
    assert low < 3.9 < 4.1 < high


@pytest.mark.parametrize(("above", "below"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([math.nan], [1.0])])
def test_a_ratio_needs_pairs_of_positive_figures(above: list[float], below: list[float]) -> None:
    with pytest.raises(ValueError, match="ratio needs"):
        median_ratio_bounds(above, below, seed=0)
