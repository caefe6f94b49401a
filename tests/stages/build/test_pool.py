"""Builds of folds as one: what several say of parts of the patients is what one says of all."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from edgeseg.errors import DatasetError
from edgeseg.reports.summary import remarks
from edgeseg.results import GOOD_STATUS, PARITY_FAILED, ArtifactRow, BuildResult, EvalResult
from edgeseg.stages.build.pool import pooled
from edgeseg.stages.build.rows import failures
from edgeseg.stages.score.evaluate import result_of

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


def named(builds: Sequence[BuildResult]) -> dict[str, BuildResult]:
    return {f"fold{number}": build for number, build in enumerate(builds)}


def evaluation(row: ArtifactRow) -> EvalResult:
    assert row.evaluation is not None
    return row.evaluation


def test_all_patients_are_scored_as_if_by_one_artifact(
    make_build: MakeBuild, halves: tuple[BuildResult, BuildResult]
) -> None:
    whole, found = part(make_build(), slice(None)), pooled(named(halves))
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
    found = pooled(named((first, replace(second, artifacts=tuple(larger)))))
    assert [row.size_bytes for row in found.artifacts] == [row.size_bytes + 7 for row in first.artifacts]
    assert [row.macs for row in found.artifacts] == [row.macs for row in first.artifacts]
    assert {row.path for row in found.artifacts} == {""}
    assert [row.latency for row in found.artifacts] == [row.latency for row in first.artifacts]


def worse(row: ArtifactRow, *, passed: bool) -> ArtifactRow:
    """The same artifact with three times the slices, and more pixels flipped in each."""
    assert row.parity is not None
    parity = replace(
        row.parity,
        slices=3 * row.parity.slices,
        flipped_pixels=500,
        flips_ppm=row.parity.flips_ppm + 40.0,
        worst_slice="P/1",
        worst_slice_flipped_pixels=row.parity.worst_slice_flipped_pixels + 1,
        passed=passed,
    )
    return replace(row, parity=parity, status=GOOD_STATUS if passed else PARITY_FAILED)


def last(
    builds: tuple[BuildResult, BuildResult], row: ArtifactRow, *, into: int = 1
) -> tuple[ArtifactRow, BuildResult]:
    """Pool two builds, the last artifact of one replaced."""
    parts = list(builds)
    parts[into] = replace(parts[into], artifacts=(*parts[into].artifacts[:-1], row))
    whole = pooled(named(parts))
    return whole.artifacts[-1], whole


def test_parity_is_over_the_slices_of_all_folds(halves: tuple[BuildResult, BuildResult]) -> None:
    given = halves[0].artifacts[-1].parity
    found, _ = last(halves, worse(halves[1].artifacts[-1], passed=True))
    assert given is not None
    assert found.parity is not None
    assert found.parity.slices == 4 * given.slices
    assert found.parity.flips_ppm == pytest.approx(given.flips_ppm + 30.0)
    assert found.parity.flipped_pixels == given.flipped_pixels + 500
    assert (found.parity.worst_slice, found.parity.passed, found.status) == ("P/1", True, GOOD_STATUS)


def test_a_parity_that_failed_in_one_fold_is_told_as_that_folds(halves: tuple[BuildResult, BuildResult]) -> None:
    failed = worse(halves[1].artifacts[-1], passed=False)
    found, whole = last(halves, failed)
    assert (found.parity, found.status) == (failed.parity, "PARITY FAILED (fold1)")
    assert failed.parity is not None
    (said,) = failures(whole)
    assert f"flips {failed.parity.flips_ppm:.0f} ppm" in said


@pytest.mark.parametrize("into", [0, 1])
def test_an_artifact_that_was_not_made_in_one_fold_is_not_scored(
    halves: tuple[BuildResult, BuildResult], into: int
) -> None:
    bad = replace(
        halves[into].artifacts[-1], evaluation=None, parity=None, status="FAILED: convert: no kernel", sha256=""
    )
    other = list(halves)
    other[1 - into] = replace(
        other[1 - into], artifacts=(*other[1 - into].artifacts[:-1], worse(other[1 - into].artifacts[-1], passed=False))
    )
    found, whole = last((other[0], other[1]), bad, into=into)
    assert (found.evaluation, found.parity, found.dice_delta_to_float) == (None, None, None)
    assert found.status == f"FAILED: convert: no kernel (fold{into})"
    assert len(failures(whole)) == 1


def test_what_was_made_in_no_fold_has_no_hash(halves: tuple[BuildResult, BuildResult]) -> None:
    gone = [
        replace(build.artifacts[-1], evaluation=None, parity=None, status="FAILED: x", sha256="") for build in halves
    ]
    first = replace(halves[0], artifacts=(*halves[0].artifacts[:-1], gone[0]))
    found, _ = last((first, halves[1]), gone[1])
    assert (found.sha256, found.status) == ("", "FAILED: x (fold0)")


def side_by_side(build: BuildResult, *slugs: str) -> BuildResult:
    """The same build for several variants."""
    return replace(build, artifacts=tuple(replace(row, variant=slug) for slug in slugs for row in build.artifacts))


def test_folds_of_pruned_networks_have_one_name_for_each_training(halves: tuple[BuildResult, BuildResult]) -> None:
    base = "alphax-0.125-half"
    first = side_by_side(halves[0], f"{base}-w000001", f"{base}-w00000a")
    second = replace(side_by_side(halves[1], f"{base}-w000002", f"{base}-w00000b"), training_patients=71)
    found = pooled(named((replace(first, training_patients=70), second)))
    slugs = list(dict.fromkeys(row.variant for row in found.artifacts))
    assert len(slugs) == 2
    assert all(re.fullmatch(rf"{base}-w[0-9a-f]{{6}}", slug) for slug in slugs)
    assert found.weights == f"2 folds of {slugs[0]}, {slugs[1]}, each trained on 70 to 71 patients of {found.data}"
    one = pooled(named(halves))
    assert {row.variant for row in one.artifacts} == {base}
    count = len(one.artifacts)
    for rows in (found.artifacts[:count], found.artifacts[count:]):
        assert [row.dice_delta_to_float for row in rows] == [row.dice_delta_to_float for row in one.artifacts]


def test_what_a_fold_says_of_its_operating_point_is_left_out(halves: tuple[BuildResult, BuildResult]) -> None:
    said = [replace(build, operating_point=f"chosen on {n} of these {n}") for n, build in enumerate(halves)]
    assert pooled(named(said)).operating_point is None


def test_the_remarks_say_that_several_networks_were_scored(halves: tuple[BuildResult, BuildResult]) -> None:
    said = [text for text in remarks(pooled(named(halves))) if text.startswith("OUT OF FOLD")]
    assert said == [
        "OUT OF FOLD: every patient is scored by the one of 2 networks that never saw them; sizes are those of the "
        "largest of a row's files, latencies those of the first."
    ]
    assert not any("OUT OF FOLD" in text for text in remarks(halves[0]))


def test_a_patient_counts_once(make_build: MakeBuild) -> None:
    with pytest.raises(
        DatasetError,
        match=r"PHANTOM_P._000\d was scored in fold0 and in fold1.*the data that they were trained on",
    ):
        pooled(named((make_build(), make_build())))
