from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgeseg.reports.verdict import verdict
from edgeseg.results import ArtifactRow, BudgetResult, BuildResult, Interval

MakeBuild = Callable[..., BuildResult]


def changed(build: BuildResult, target: str, **fields: object) -> BuildResult:
    rows = (replace(row, **fields) if row.target == target else row for row in build.artifacts)  # type: ignore[arg-type]
    return replace(build, artifacts=tuple(rows))


def lossy(build: BuildResult, target: str, lost: float) -> BuildResult:
    return changed(build, target, dice_delta_to_float=Interval(mean=-lost, low=-lost, high=-lost))


def slower(build: BuildResult, target: str, times: float) -> BuildResult:
    (latency,) = [row.latency for row in build.artifacts if row.target == target]
    assert latency is not None
    return changed(build, target, latency=replace(latency, latency_ms_p50=latency.latency_ms_p50 * times))


@pytest.fixture
def build(make_build: MakeBuild) -> BuildResult:
    return make_build(rests_on_phantoms=False)


def test_it_names_the_file_its_size_its_dice_and_what_changed(build: BuildResult) -> None:
    said = verdict(build)
    assert said.startswith("Ship alphax-0.125-half tflite-int8: 518 kB, 719 times smaller than the study's 372.6 MB")
    assert "on 5 patients (" in said
    assert " in float, " in said
    assert "pixels in a million flipped)." in said


def test_what_did_not_start_from_the_study_does_not_say_so(build: BuildResult) -> None:
    assert build.baseline is not None
    said = verdict(replace(build, baseline=replace(build.baseline, given=True, size_bytes=5_000_000)))
    assert "9.7 times smaller than your 5.0 MB file" in said
    assert "study" not in said
    assert "smaller" not in verdict(replace(build, baseline=None))
    assert "smaller" not in verdict(replace(build, baseline=replace(build.baseline, size_bytes=1000)))


def test_a_file_that_is_smaller_by_less_than_it_is_slower_is_not_recommended(build: BuildResult) -> None:
    int8, onnx = (
        next(row for row in build.artifacts if row.target == target) for target in ("tflite-int8", "onnx-fp32")
    )
    assert int8.latency is not None
    assert onnx.latency is not None
    even = onnx.size_bytes * onnx.latency.latency_ms_p50 / (int8.size_bytes * int8.latency.latency_ms_p50)
    assert "Ship alphax-0.125-half tflite-int8" in verdict(slower(build, "tflite-int8", even * 0.9))
    assert "Ship alphax-0.125-half onnx-fp32" in verdict(slower(build, "tflite-int8", even * 1.1))


def test_size_decides_where_no_latency_was_measured(build: BuildResult) -> None:
    untimed = replace(build, artifacts=tuple(replace(row, latency=None) for row in build.artifacts))
    assert "Ship alphax-0.125-half tflite-int8: 518 kB, " in verdict(untimed)
    assert "ms a slice" not in verdict(untimed)


def test_a_file_that_loses_dice_is_named_and_another_recommended(build: BuildResult) -> None:
    said = verdict(lossy(build, "tflite-int8", 0.011))
    assert said.startswith("Ship alphax-0.125-half onnx-fp32")
    assert "alphax-0.125-half tflite-int8 loses more than 0.005 Dice: --max-drop 0.005" in said
    assert "loses" not in verdict(lossy(build, "tflite-int8", 0.005))


def test_it_says_what_fell_short_where_nothing_else_stands(build: BuildResult) -> None:
    alone = replace(build, artifacts=(build.artifacts[2],))
    said = verdict(lossy(alone, "tflite-int8", 0.011))
    assert said.startswith("FELL SHORT: alphax-0.125-half tflite-int8 is 518 kB")
    assert "0.011 less than its float network's; --max-drop 0.005" in said


def test_a_budget_that_is_not_confirmed_falls_short(build: BuildResult, budget: BudgetResult) -> None:
    assert verdict(replace(build, budgets=(replace(budget, confirmed=False),))).startswith("FELL SHORT")
    assert verdict(replace(build, budgets=(replace(budget, confirmed=True),))).startswith("Ship")


def test_phantoms_recommend_nothing(make_build: MakeBuild) -> None:
    said = verdict(make_build(rests_on_phantoms=True))
    assert said.startswith("The chain works")
    assert "--data DIR" in said
    assert "Dice 0" not in said


def test_nothing_is_shipped_that_finds_nothing(build: BuildResult) -> None:
    def blind(row: ArtifactRow) -> ArtifactRow:
        assert row.evaluation is not None
        patients = tuple(replace(one, lesions=1, lesions_found=0) for one in row.evaluation.patients)
        return replace(row, evaluation=replace(row.evaluation, patients=patients))

    assert verdict(replace(build, artifacts=tuple(map(blind, build.artifacts)))).startswith("NOT FIT TO SHIP")


def test_nothing_is_shipped_where_every_check_failed(build: BuildResult) -> None:
    failed = tuple(replace(row, status="FAILED: convert: no memory") for row in build.artifacts)
    assert verdict(replace(build, artifacts=failed)).startswith(f"NOTHING TO SHIP: none of {len(failed)} artifacts")


def test_seen_patients_are_said_beside_the_dice(build: BuildResult) -> None:
    (scored,) = [row.evaluation for row in build.artifacts if row.target == "tflite-int8"]
    assert scored is not None
    said = verdict(changed(build, "tflite-int8", evaluation=replace(scored, seen_patients=2)))
    assert "too good, since training saw some of them" in said
    assert "too good" not in verdict(build)
