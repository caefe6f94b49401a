"""A build that nobody ran: `tests/synthetic/build.json` holds made-up figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.jsonio import from_json
from edgeseg.results import BudgetResult, BuildResult, DiceDrop, Interval, LatencyResult, TriedPoint
from edgeseg.specs import PostProcessing
from edgeseg.stages.choice import Choice, ChoiceGroup, ChoiceStep, OperatingPoint

SYNTHETIC_BUILD = Path(__file__).parents[1] / "synthetic" / "build.json"


@pytest.fixture
def make_build() -> Callable[..., BuildResult]:
    """Give a function that returns the synthetic build; keywords replace its fields."""
    build = from_json(BuildResult, SYNTHETIC_BUILD.read_text())
    return lambda **changes: replace(build, **changes)


@pytest.fixture
def budget() -> BudgetResult:
    """A search that nobody ran: two recipes were rejected, the third was taken and confirmed."""
    losses = (("int8 (min-max)", (), 0.009, 0.0141), ("int8 (mse)", (), 0.006, 0.0083))
    losses += (("int8 (min-max), head in float", ("head",), 0.0012, 0.0031),)  # type: ignore[assignment]
    times = (4.25, 4.26, 5.75)
    tried = tuple(
        TriedPoint(
            recipe=recipe,
            float_layers=layers,
            size_bytes=520_000 + 9_000 * number,
            sha256=str(number),
            drop=DiceDrop(patients=4, mean=mean, bound=bound),
            holds=bound <= 0.005,
            latency=LatencyResult(
                artifact="x",
                runtime="rt 1",
                threads=2,
                runs=9,
                warmup_runs=2,
                latency_ms_p50=times[number],
                latency_ms_p95=9.0,
            ),
        )
        for number, (recipe, layers, mean, bound) in enumerate(losses)
    )
    return BudgetResult(
        target="tflite-int8",
        max_drop=0.005,
        tried=tried,
        chosen=tried[-1].recipe,
        found=True,
        confirmation=DiceDrop(patients=4, mean=0.0016, bound=0.0036),
        confirmed=True,
        seed=0,
    )


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
