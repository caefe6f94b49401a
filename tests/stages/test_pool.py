"""Builds of folds as one: what several say of parts of the patients is what one says of all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgeseg.errors import DatasetError
from edgeseg.results import ArtifactRow, BuildResult, EvalResult
from edgeseg.stages.evaluate import result_of
from edgeseg.stages.pool import pooled
from edgeseg.stages.report import remarks

MakeBuild = Callable[..., BuildResult]
CUT = 2


def part(build: BuildResult, rows: slice) -> BuildResult:
    """The same build, scored on some of its patients."""

    def scored(row: ArtifactRow) -> ArtifactRow:
        found = row.evaluation
        assert found is not None
        fewer = result_of(
            found.patients[rows],
            artifact=found.artifact,
            data=found.data,
            threshold=found.threshold,
            numerics=found.numerics,
            seed=found.bootstrap_seed,
        )
        return replace(row, evaluation=replace(fewer, post_processing=found.post_processing))

    return replace(build, artifacts=tuple(map(scored, build.artifacts)))


@pytest.fixture
def halves(make_build: MakeBuild) -> tuple[BuildResult, BuildResult]:
    return part(make_build(), slice(CUT)), part(make_build(), slice(CUT, None))


def evaluation(row: ArtifactRow) -> EvalResult:
    assert row.evaluation is not None
    return row.evaluation


def test_all_patients_are_scored_as_if_by_one_artifact(
    make_build: MakeBuild, halves: tuple[BuildResult, BuildResult]
) -> None:
    whole, found = part(make_build(), slice(None)), pooled(halves)
    assert found.folds == 2
    assert [evaluation(row) for row in found.artifacts] == [evaluation(row) for row in whole.artifacts]
    assert len({score.patient for score in evaluation(found.artifacts[0]).patients}) == 5
    assert found.artifacts[0].dice_delta_to_float is None
    for row in found.artifacts[1:]:
        dice = [score.dice for score in evaluation(row).patients]
        floats = [score.dice for score in evaluation(found.artifacts[0]).patients]
        assert row.dice_delta_to_float is not None
        assert row.dice_delta_to_float.mean == pytest.approx(sum(dice) / 5 - sum(floats) / 5)


def test_a_row_is_as_large_as_its_largest_file_and_names_none(halves: tuple[BuildResult, BuildResult]) -> None:
    first, second = halves
    larger = [replace(row, size_bytes=row.size_bytes + 7, macs=row.macs - 1) for row in second.artifacts]
    found = pooled((first, replace(second, artifacts=tuple(larger))))
    assert [row.size_bytes for row in found.artifacts] == [row.size_bytes + 7 for row in first.artifacts]
    assert [row.macs for row in found.artifacts] == [row.macs for row in first.artifacts]
    assert {row.path for row in found.artifacts} == {""}
    assert [row.latency for row in found.artifacts] == [row.latency for row in first.artifacts]


def test_parity_is_over_the_slices_of_all_folds(halves: tuple[BuildResult, BuildResult]) -> None:
    first, second = halves
    row = first.artifacts[-1]
    assert row.parity is not None
    worse = replace(
        row.parity,
        slices=3 * row.parity.slices,
        flipped_pixels=500,
        flips_ppm=row.parity.flips_ppm + 40.0,
        worst_slice="P/1",
        worst_slice_flipped_pixels=row.parity.worst_slice_flipped_pixels + 1,
        passed=False,
    )
    failed = replace(second.artifacts[-1], parity=worse, status="PARITY FAILED")
    found = pooled((first, replace(second, artifacts=(*second.artifacts[:-1], failed)))).artifacts[-1]
    assert found.parity is not None
    assert found.parity.slices == 4 * row.parity.slices
    assert found.parity.flips_ppm == pytest.approx(row.parity.flips_ppm + 30.0)
    assert found.parity.flipped_pixels == row.parity.flipped_pixels + 500
    assert (found.parity.worst_slice, found.parity.passed, found.status) == ("P/1", False, "PARITY FAILED")


def test_an_artifact_that_failed_in_one_fold_is_not_scored(halves: tuple[BuildResult, BuildResult]) -> None:
    first, second = halves
    failed = replace(second.artifacts[-1], evaluation=None, parity=None, status="FAILED: convert: no kernel")
    found = pooled((first, replace(second, artifacts=(*second.artifacts[:-1], failed)))).artifacts[-1]
    assert (found.evaluation, found.dice_delta_to_float, found.status) == (None, None, "FAILED: convert: no kernel")


def test_folds_of_pruned_networks_have_one_name(halves: tuple[BuildResult, BuildResult]) -> None:
    names = ("alphax-0.125-half-w0a1b2c", "alphax-0.125-half-wffffff")
    builds = [
        replace(
            build, training_patients=70 + number, artifacts=tuple(replace(r, variant=name) for r in build.artifacts)
        )
        for number, (build, name) in enumerate(zip(halves, names, strict=True))
    ]
    found = pooled(builds)
    assert {row.variant for row in found.artifacts} == {"alphax-0.125-half-w*"}
    assert found.weights == "2 folds of alphax-0.125-half-w*, each trained on 70 to 71 patients"
    assert pooled(halves).weights.startswith("2 folds of alphax-0.125-half, each trained on")


def test_the_remarks_say_that_several_networks_were_scored(halves: tuple[BuildResult, BuildResult]) -> None:
    said = [text for text in remarks(pooled(halves)) if text.startswith("OUT OF FOLD")]
    assert said == [
        "OUT OF FOLD: every patient is scored by the one of 2 networks that never saw them; sizes are those of the "
        "largest of a row's files, latencies those of the first."
    ]
    assert not any("OUT OF FOLD" in text for text in remarks(halves[0]))


def test_a_patient_counts_once(make_build: MakeBuild) -> None:
    with pytest.raises(
        DatasetError,
        match=r"PHANTOM_P._000\d was scored in fold 0 and in fold 1.*the data that the folds were trained on",
    ):
        pooled((make_build(), make_build()))
