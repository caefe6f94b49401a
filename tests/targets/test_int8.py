"""The scale of the logits: a mask must not depend on it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edgeseg.imaging import dequantise, quantise
from edgeseg.targets._int8 import LOGIT_REACH, logit_scale


@pytest.mark.parametrize("probability", [0.05, 0.3, 0.5, 0.73, 0.99])
@pytest.mark.parametrize(("low", "high"), [(-9.0, 7.0), (-40.0, 30.0), (-6.0, -2.0), (0.1, 0.2)])
def test_rounding_the_logits_moves_no_pixel_across_the_threshold(low: float, high: float, probability: float) -> None:
    threshold = math.log(probability / (1 - probability))
    chosen = logit_scale(low, high, threshold)
    logits = np.random.default_rng(0).normal(threshold, 2, 100_000).astype(np.float32)
    logits = logits[np.abs(logits - threshold) > 1e-4]
    codes = quantise(logits + np.float32(chosen.shift), chosen.scale, chosen.zero_point)
    decided = dequantise(codes, chosen.scale, chosen.zero_point) > threshold
    assert np.array_equal(decided, logits > threshold)


def test_without_the_shift_pixels_near_the_threshold_would_fall_to_one_side() -> None:
    chosen = logit_scale(-12.0, 12.0, 0.0)
    near = np.array([0.4 * chosen.scale], np.float32)
    codes = quantise(near, chosen.scale, chosen.zero_point)
    assert dequantise(codes, chosen.scale, chosen.zero_point) == 0.0
    assert chosen.shift == pytest.approx(chosen.scale / 2)


def test_outliers_are_cut_and_narrow_ranges_kept() -> None:
    wide = logit_scale(-90.0, 70.0, 1.0)
    assert wide.low == pytest.approx(1.0 - LOGIT_REACH, abs=wide.scale)
    assert wide.high == pytest.approx(1.0 + LOGIT_REACH, abs=wide.scale)
    narrow = logit_scale(-5.0, 3.0, 0.0)
    assert narrow.scale == pytest.approx(8 / 255, rel=1e-6)
    assert -128 <= narrow.zero_point <= 127
