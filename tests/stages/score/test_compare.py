from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edgeseg.results import ArtifactRow, BuildResult
from edgeseg.stages.score.compare import compare

MakeBuild = Callable[..., BuildResult]
NAMES = ("a", "b")


def shifted(row: ArtifactRow, dice: float) -> ArtifactRow:
    """The same artifact with every patient's Dice moved, another hash, and half the latency."""
    assert row.evaluation is not None
    assert row.latency is not None
    moved = tuple(replace(score, dice=score.dice + dice) for score in row.evaluation.patients)
    return replace(
        row,
        sha256="f" * 64,
        evaluation=replace(row.evaluation, patients=moved),
        latency=replace(row.latency, latency_ms_p50=row.latency.latency_ms_p50 / 2),
    )


def scored(build: BuildResult) -> ArtifactRow:
    return next(row for row in build.artifacts if row.evaluation is not None and row.latency is not None)


def test_a_build_against_itself_differs_in_nothing(make_build: MakeBuild) -> None:
    found = compare(make_build(), make_build(), names=NAMES)
    assert found.differences == ()
    assert all(row.same_file for row in found.artifacts)
    assert all(row.dice_delta is None or row.dice_delta.mean == 0.0 for row in found.artifacts)


def test_dice_is_paired_by_patient_and_latency_a_ratio(make_build: MakeBuild) -> None:
    row = scored(make_build())
    before, after = make_build(artifacts=(row,)), make_build(artifacts=(shifted(row, -0.01),))
    (found,) = compare(before, after, names=NAMES).artifacts
    assert found.dice_delta is not None
    assert found.dice_delta.mean == pytest.approx(-0.01)
    assert found.dice_delta.high == pytest.approx(-0.01)
    assert found.latency_ratio == pytest.approx(0.5)
    assert not found.same_file
    assert row.evaluation is not None
    assert found.patients == len(row.evaluation.patients)


def test_only_patients_that_both_scored_count(make_build: MakeBuild) -> None:
    row = scored(make_build())
    assert row.evaluation is not None
    fewer = replace(row, evaluation=replace(row.evaluation, patients=row.evaluation.patients[1:]))
    (found,) = compare(make_build(artifacts=(row,)), make_build(artifacts=(fewer,)), names=NAMES).artifacts
    assert found.patients == len(row.evaluation.patients) - 1
    other = replace(row, evaluation=replace(row.evaluation, data="elsewhere"))
    (found,) = compare(make_build(artifacts=(row,)), make_build(artifacts=(other,)), names=NAMES).artifacts
    assert (found.dice_delta, found.patients) == (None, 0)


def test_an_artifact_that_one_build_lacks_is_shown(make_build: MakeBuild) -> None:
    row = scored(make_build())
    found = compare(make_build(artifacts=(row,)), make_build(artifacts=()), names=NAMES)
    assert found.artifacts[0].size_bytes_after is None
    assert found.artifacts[0].status_after is None


def test_two_variants_are_compared_target_by_target_and_it_is_said(make_build: MakeBuild) -> None:
    row = scored(make_build())
    found = compare(make_build(artifacts=(row,)), make_build(artifacts=(replace(row, variant="other"),)), names=NAMES)
    assert len(found.artifacts) == 1
    assert found.artifacts[0].variant == f"{row.variant} -> other"
    assert any("different variants" in line for line in found.differences)


def test_one_of_several_variants_is_found_among_them(make_build: MakeBuild) -> None:
    row = scored(make_build())
    several = make_build(artifacts=(row, replace(row, variant="other")))
    found = compare(make_build(artifacts=(row,)), several, names=NAMES)
    assert [(one.variant, one.status_before, one.status_after) for one in found.artifacts] == [
        (row.label, row.status, row.status),
        ("other", None, row.status),
    ]
    assert found.artifacts[0].same_file
    assert found.differences == ()
    assert compare(several, several, names=NAMES).differences == ()


def test_other_data_and_weights_are_told(make_build: MakeBuild) -> None:
    found = compare(make_build(), make_build(weights_sha256="f" * 64, data="elsewhere"), names=NAMES)
    assert [line.split(":")[0] for line in found.differences] == ["weights", "data"]


def test_another_threshold_is_told(make_build: MakeBuild) -> None:
    build = make_build()
    rows = [row if row.evaluation is None else replace(row, evaluation=replace(row.evaluation, threshold=0.7))
            for row in build.artifacts]  # fmt: skip
    (said,) = compare(build, replace(build, artifacts=tuple(rows)), names=NAMES).differences
    assert said.startswith("threshold and post-processing: threshold 0.5, ")
    assert " -> threshold 0.7, " in said
