"""Counts, features and verdicts, against the same things said plainly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from edgeseg.specs import OutputTrust
from edgeseg.stages.ship.trust_vectors import trust_vectors
from edgeseg.trust import OutputCounts, OutputTally, features, judge
from edgeseg.trust.judge import NOTHING

SPEC = trust_vectors()[0].trust
LEVELS = [math.log(p / (1 - p)) for p in SPEC.levels]


def counted(logits: NDArray[np.float32], spec: OutputTrust = SPEC) -> OutputCounts:
    tally = OutputTally(spec.levels)
    for one in logits:
        tally.add(one)
    return tally.counts


@pytest.mark.parametrize("seed", range(4))
def test_counts_are_those_of_whole_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1.0, 2.0, (5, 9, 13)).astype(np.float32)
    logits[rng.integers(0, 5)] = -9.0
    low, middle, high = (logits > level for level in LEVELS)
    cross = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], np.bool_)
    inner = binary_erosion(middle, cross, border_value=0)
    assert counted(logits).in_order == (
        low.sum(),
        middle.sum(),
        high.sum(),
        middle.sum() - inner.sum(),
        (middle[1:] & middle[:-1]).sum(),
        middle[1:].sum() + middle[:-1].sum(),
    )


def test_features_are_quotients_of_counts() -> None:
    found = features(OutputCounts(low=120, middle=100, high=70, border=25, shared=30, paired=90))
    assert found == {"log_unsure_border": math.log(2.0), "neighbours": 60 / 90}
    sure = features(OutputCounts(low=9, middle=9, high=9, border=8))
    assert sure == {"log_unsure_border": math.log(1 / 8), "neighbours": 0.0}
    assert features(OutputCounts(low=5)) is None


def test_a_wider_border_is_expected_to_be_worse_and_says_so() -> None:
    usual = OutputCounts(low=177, middle=100, high=0, border=100, shared=39, paired=100)
    good, bad = judge(usual, SPEC), judge(replace(usual, low=900), SPEC)
    assert good.dice_expected is not None
    assert bad.dice_expected is not None
    assert bad.dice_expected < SPEC.look_below < good.dice_expected
    assert (good.look, good.because, good.why) == (False, "", "")
    assert (bad.look, bad.because) == (True, "log_unsure_border")
    assert bad.why == "the border is unsure: it is 9.0 pixels wide (1.8 is usual)"


def test_the_interval_is_as_wide_as_the_mask_is_doubtful() -> None:
    told = judge(OutputCounts(low=177, middle=100, high=0, border=100, shared=39, paired=100), SPEC)
    assert told.dice_expected is not None
    wrong = 1 - told.dice_expected
    assert told.interval(10.0) == pytest.approx((10 * (1 - 2.2 * wrong), 10 * (1 + 1.1 * wrong)))
    assert told.interval(None) is None
    doubtful = judge(OutputCounts(low=9000, middle=100, high=0, border=100, shared=0, paired=100), SPEC)
    assert doubtful.low_factor == 0.0


def test_where_nothing_was_found_a_person_has_to_look() -> None:
    told = judge(counted(np.full((3, 8, 8), -4.0, np.float32)), SPEC)
    assert (told.look, told.because, told.dice_expected, told.interval(0.0)) == (True, NOTHING, None, None)
