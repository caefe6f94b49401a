from __future__ import annotations

import numpy as np
import pytest

from edgeseg.metrics.reliability import LOGIT_BINS, calibration_error, count_logits, platt, reliability


def test_scaling_finds_what_made_the_pixels() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 3.0, 200_000).astype(np.float32)
    tumour = rng.random(logits.size) < 1 / (1 + np.exp(-(0.4 * logits - 0.6)))
    counts = count_logits(logits, tumour)
    assert counts.shape == (LOGIT_BINS, 2)
    assert counts.sum(axis=0).tolist() == [(~tumour).sum(), tumour.sum()]
    slope, offset = platt(counts)
    assert slope == pytest.approx(0.4, abs=0.01)
    assert offset == pytest.approx(-0.6, abs=0.02)
    before, after = reliability(counts), reliability(counts, slope=slope, offset=offset)
    assert calibration_error(before) > 0.1
    assert calibration_error(after) < 0.01


def test_pixels_that_are_surely_none_do_not_count() -> None:
    logits = np.array([-12.0, -12.0, 2.0], np.float32)
    (found,) = reliability(count_logits(logits, np.array([False, True, True])))
    assert found[1:] == (1.0, 1)


def test_one_kind_of_pixel_alone_scales_nothing() -> None:
    assert platt(count_logits(np.array([2.0], np.float32), np.array([True]))) == (1.0, 0.0)
    assert calibration_error([]) == 0.0
