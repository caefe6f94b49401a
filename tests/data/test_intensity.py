from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseg.data.intensity import BRIGHT_GREY, Window, window_of


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e4, 1e4), st.integers(0, 50))
def test_gain_and_offset_move_no_pixel_by_more_than_a_rounding(gain: float, offset: float, seed: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, 200.0, 4000)
    plain = window_of(values).apply(values).astype(int)
    other = gain * values + offset
    moved = window_of(other).apply(other).astype(int)
    assert np.abs(plain - moved).max() <= 1
    assert (plain != moved).mean() < 0.01


def test_the_bright_end_of_tissue_has_its_grey_value_whatever_the_background() -> None:
    tissue = np.random.default_rng(0).uniform(400, 1000, 20_000)
    for background in (0, 10_000, 100_000):
        values = np.concatenate([tissue, np.zeros(background)])
        high = window_of(values).high
        assert abs(high - 994) < 3
    assert window_of(values).apply(np.array([[0.0, high]])).tolist() == [[0, round(BRIGHT_GREY)]]


def test_hot_voxels_and_nan_hardly_move_the_window() -> None:
    values = np.random.default_rng(0).uniform(0, 1000, 50_000)
    plain = window_of(values)
    values[:20] = 1e6
    values[20:40] = np.nan
    assert abs(window_of(values).high - plain.high) < 5


def test_one_value_everywhere_is_black() -> None:
    window = window_of(np.full(100, 7.0))
    assert window.flat
    assert not window.apply(np.full((3, 3), 7.0)).any()
    assert window_of(np.array([np.nan])).flat
    extreme = Window(low=0.0, high=100.0).apply(np.array([[np.inf, -np.inf, np.nan]]))
    assert extreme.tolist() == [[0, 0, 0]]
