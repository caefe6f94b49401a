"""What a mean hides: the worst patient, those who moved, lesions and false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.cli.main import main
from edgeseg.jsonio import to_json
from edgeseg.metrics.clinical import clinical_change
from edgeseg.reports.summary import remarks
from edgeseg.reports.words import describe_change
from edgeseg.results import REFERENCE, BuildResult, ClinicalChange, EvalResult
from edgeseg.stages.score.compare import compare

MakeBuild = Callable[..., BuildResult]
MOVES = (0.0, -0.2, 0.06, -0.051, 0.049)


@pytest.fixture
def before(make_build: MakeBuild) -> EvalResult:
    found = make_build().artifacts[0].evaluation
    assert found is not None
    scores = (replace(s, dice=0.8, lesions=2, lesions_found=1, tumour_free_slices=10) for s in found.patients)
    return replace(found, patients=tuple(replace(score, false_positive_slices=1) for score in scores))


def moved(given: EvalResult) -> EvalResult:
    scores = zip(given.patients, MOVES, strict=True)
    return replace(given, patients=tuple(replace(score, dice=score.dice + move) for score, move in scores))


def test_the_mean_of_a_few_who_lose_and_gain_hides_who(before: EvalResult) -> None:
    after = moved(before)
    found = replace(after.patients[0], lesions_found=2, false_positive_slices=4)
    change = clinical_change(before, replace(after, patients=(found, *after.patients[1:])))
    name = before.patients[1].patient
    assert change is not None
    assert replace(change, worst_dice_after=round(change.worst_dice_after, 6)) == ClinicalChange(
        patients=5,
        worst_patient=name,
        worst_dice_before=0.8,
        worst_dice_after=0.6,
        notable_dice=0.05,
        patients_lower=2,
        patients_higher=1,
        lesions=10,
        lesions_found_before=5,
        lesions_found_after=6,
        tumour_free_slices=50,
        false_positive_slices_before=5,
        false_positive_slices_after=8,
    )
    assert describe_change(change) == (
        f"at worst {name} 0.800 -> 0.600; of 5 patients 2 lose and 1 gain more than 0.05 Dice; lesions found 5 -> 6 of "
        "10; tumour-free slices marked 5 -> 8 of 50"
    )


def test_only_patients_that_both_scored_are_compared(before: EvalResult) -> None:
    after = moved(before)
    change = clinical_change(replace(before, patients=before.patients[2:]), after)
    assert change is not None
    assert (change.patients, change.patients_lower, change.worst_patient) == (3, 1, before.patients[3].patient)
    assert (
        clinical_change(replace(before, patients=before.patients[:1]), replace(after, patients=after.patients[1:]))
        is None
    )


def test_two_builds_are_compared_patient_by_patient(make_build: MakeBuild, before: EvalResult) -> None:
    row = make_build().artifacts[0]
    old, new = (make_build(artifacts=(replace(row, evaluation=e),)) for e in (before, moved(before)))
    (found,) = compare(old, new, names=("a", "b")).artifacts
    assert found.clinical == clinical_change(before, moved(before))
    (found,) = compare(old, make_build(artifacts=(replace(row, evaluation=None),)), names=("a", "b")).artifacts
    assert found.clinical is None


def test_a_report_says_how_patients_fare_against_float(make_build: MakeBuild, before: EvalResult) -> None:
    build = make_build()
    rows = [replace(row, evaluation=before if row.target == REFERENCE else moved(before)) for row in build.artifacts]
    said = [text for text in remarks(replace(build, artifacts=tuple(rows))) if "patient by patient" in text]
    assert len(said) == 1
    assert said[0].startswith("alphax-0.125-half tflite-int8 against float, patient by patient: at worst")
    assert "0.800 -> 0.600" in said[0]
    alone = tuple(row for row in rows if row.target == REFERENCE)
    assert not any("patient by patient" in text for text in remarks(replace(build, artifacts=alone)))


def test_the_command_names_variants_where_there_are_several(
    make_build: MakeBuild, before: EvalResult, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = make_build().artifacts[-1]
    for name, evaluation in (("old", before), ("new", moved(before))):
        rows = (replace(row, variant=slug, evaluation=evaluation) for slug in ("alphax-0.125-half", "unet-0.125-half"))
        (tmp_path / f"{name}.json").write_text(to_json(make_build(artifacts=tuple(rows))))
    with pytest.raises(SystemExit) as end:
        main(["compare", str(tmp_path / "old.json"), str(tmp_path / "new.json")])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert "alphax-0.125-half tflite-int8: at worst" in out
    assert "unet-0.125-half tflite-int8: at worst" in out
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
