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
from edgeseg.trust import NOTHING, OutputCounts, OutputTally, RegionTally, features, joined, judge

SPEC = trust_vectors()[0].trust
LEVELS = [math.log(p / (1 - p)) for p in SPEC.levels]


def counted(logits: NDArray[np.float32], spec: OutputTrust = SPEC) -> OutputCounts:
    tally = OutputTally(spec.levels)
    for one in logits:
        tally.add(one)
    return tally.counts


def test_several_masks_are_counted_as_if_each_were_alone() -> None:
    logits = np.random.default_rng(1).normal(0.0, 2.0, (4, 7, 9, 3)).astype(np.float32)
    tally = RegionTally([SPEC.levels, None, (0.1, 0.2, 0.4)])
    for one in logits:
        tally.add(one)
    other = replace(SPEC, low=0.1, middle=0.2, high=0.4)
    assert tally.counts == (counted(logits[..., 0]), None, counted(logits[..., 2], other))


def test_a_patient_is_looked_at_for_the_worst_mask_in_which_something_was_found() -> None:
    usual = OutputCounts(low=177, middle=100, high=0, border=100, shared=39, paired=100)
    good, bad, worse = (judge(replace(usual, low=low), SPEC) for low in (177, 900, 1500))
    empty = judge(OutputCounts(low=3), SPEC)
    told = joined([("a", good), ("b", bad), ("c", worse), ("d", empty), ("e", None)])
    assert told is not None
    dice = [one.dice_expected for one in (good, bad, worse)]
    assert told.dice_expected == pytest.approx(sum(one for one in dice if one is not None) / 3)
    assert (told.look, told.because, told.why) == (True, worse.because, f"c: {worse.why}")
    assert told.interval(10.0) is None
    fine = joined([("a", good), ("d", empty)])
    assert fine is not None
    assert (fine.dice_expected, fine.look, fine.why) == (good.dice_expected, False, "")
    assert joined([("d", empty), ("e", None)]) == empty
    assert empty.because == NOTHING
    assert joined([("e", None)]) is None


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
