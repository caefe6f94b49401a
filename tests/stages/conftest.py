"""A build that nobody ran: `tests/synthetic/build.json` holds made-up figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.jsonio import from_json
from edgeseg.results import BuildResult, Interval
from edgeseg.specs import PostProcessing
from edgeseg.stages.choice import Choice, ChoiceGroup, ChoiceStep, OperatingPoint

SYNTHETIC_BUILD = Path(__file__).parents[1] / "synthetic" / "build.json"


@pytest.fixture
def make_build() -> Callable[..., BuildResult]:
    """Give a function that returns the synthetic build; keywords replace its fields."""
    build = from_json(BuildResult, SYNTHETIC_BUILD.read_text())
    return lambda **changes: replace(build, **changes)


@pytest.fixture
def choice() -> Choice:
    """A choice that nobody made, for `alphax-0.0625-half`."""
    point = OperatingPoint(threshold=0.3, post_processing=PostProcessing(min_area_px=20, min_share=0.05))
    step = ChoiceStep(
        name="threshold and post-processing",
        flips="none",
        dice=Interval(mean=0.5, low=0.4, high=0.6),
        dice_median=0.5,
        dice_median_low=0.4,
        dice_median_high=0.6,
        delta=Interval(mean=0.01, low=-0.01, high=0.02),
        false_positive_slices=1,
        tumour_free_slices=10,
        cap_met=True,
        chosen=(point, point),
        dice_by_patient={"P1": 0.4, "P2": 0.6},
    )
    return Choice(
        variant="alphax-0.0625-half",
        data="kaggle-lgg",
        groups=tuple(ChoiceGroup(run=f"fold{n}", weights_sha256="0", patients=(f"P{n + 1}",)) for n in range(2)),
        left_out="fold",
        max_fp_share=0.1,
        steps=(step,),
        chosen=point,
        cap_met=True,
        shipped_step=step.name,
        bootstrap_seed=0,
        bootstrap_samples=10,
        versions={},
    )
