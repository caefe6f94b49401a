"""Fitting on patients drawn by hand: what is found again, and what never looks at a patient that it judges."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edgeseg.metrics.reliability import LOGIT_BINS
from edgeseg.stages.trust.fit import Origin, PatientOutput, conformal, fit, look_level, others_of
from edgeseg.trust import OutputCounts, judge

ORIGIN = Origin(threshold=0.5, network="alphax-0.125-half", data="toy")


def patients(count: int, *, run: str, group: int, sharpness: float = 1.0, seed: int = 0) -> list[PatientOutput]:
    """Patients whose Dice falls with the width of the unsure border; a sharper network has thinner ones throughout."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        worse = rng.normal()
        dice = 1 / (1 + math.exp(-(1.5 - 0.9 * worse)))
        width = math.exp(0.4 * worse) / sharpness
        counts = OutputCounts(
            low=10_000 + round(1000 * width), middle=10_000, high=10_000, border=1000, shared=7000, paired=20_000
        )
        reference = round(10_000 * (1 + (1 - dice) * rng.uniform(-1, 1)))
        histogram = np.ones((LOGIT_BINS, 2), np.int64)
        rows.append(
            PatientOutput(
                patient=f"{run}-{number}", group=group, run=run, dice=dice, volume_px=10_000, reference_px=reference,
                counts=counts, histogram=histogram,
            )
        )  # fmt: skip
    return rows


def test_the_dice_is_found_again_and_a_sharper_network_is_judged_by_what_is_usual_for_it() -> None:
    rows = [row for n in range(4) for row in patients(20, run=f"r{n}", group=n, seed=n)]
    sharp = patients(20, run="sharp", group=-1, sharpness=3.0, seed=9)
    found = fit(rows, ORIGIN)
    assert found is not None
    assert found.names == ("log_unsure_border", "neighbours")
    for own in (rows[:20], sharp):
        numbers = found.settled(own)
        assert numbers is not None
        told = [expected for row in own if (expected := judge(row.counts, numbers).dice_expected) is not None]
        assert len(told) == len(own)
        assert np.mean(told) == pytest.approx(np.mean([row.dice for row in own]), abs=1e-3)
        assert told == pytest.approx([row.dice for row in own], abs=0.05)


def test_nine_in_ten_volumes_lie_in_the_interval() -> None:
    rows = [row for n in range(4) for row in patients(50, run=f"r{n}", group=n, seed=n)]
    found = fit(rows, ORIGIN)
    new = patients(200, run="r0", group=0, seed=77)
    assert found is not None
    numbers = found.settled(rows[:50])
    assert numbers is not None
    ends = [judge(row.counts, numbers).interval(row.volume_px) for row in new]
    inside = [end is not None and end[0] <= row.reference_px <= end[1] for end, row in zip(ends, new, strict=True)]
    assert 0.84 <= np.mean(inside) <= 0.97


def test_a_feature_that_would_praise_a_worse_look_is_left_out() -> None:
    rows = [row for n in range(2) for row in patients(10, run=f"r{n}", group=n, seed=n)]
    odd = [replace(row, counts=replace(row.counts, shared=round(9000 * (1 - row.dice)))) for row in rows]
    found = fit(odd, ORIGIN)
    assert found is not None
    assert found.names == ("log_unsure_border",)


def test_there_has_to_be_something_to_fit() -> None:
    rows = patients(4, run="r0", group=0)
    assert fit(rows, ORIGIN) is None
    empty = [replace(row, counts=OutputCounts(), group=number) for number, row in enumerate(rows)]
    assert fit(empty, ORIGIN) is None


def test_what_is_usual_is_settled_on_other_patients() -> None:
    rows = [*patients(2, run="r0", group=0), *patients(1, run="r1", group=1)]
    assert [row.patient for row in others_of(rows[0], rows)] == ["r0-1"]
    assert [row.patient for row in others_of(rows[2], rows)] == ["r0-0", "r0-1"]


def test_the_rank_of_a_conformal_error() -> None:
    errors = [float(n) for n in range(1, 20)]
    assert conformal(errors, 0.05) == 19.0
    assert conformal(errors, 0.5) == 10.0
    assert conformal(errors[:3], 0.05) == 3.0
    assert conformal([], 0.05) == 0.0


def test_the_level_parts_poor_from_good() -> None:
    assert look_level([(0.5, 0.4), (0.6, 0.6), (0.8, 0.9), (0.9, 0.9)]) == pytest.approx(0.7)
    assert look_level([(n / 20, 0.9) for n in range(1, 20)]) == pytest.approx(0.125)
    assert look_level([]) == 0.7
