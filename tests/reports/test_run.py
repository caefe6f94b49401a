"""What `edgeseg run` prints of what it found."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from edgeseg.reports.csv import patients
from edgeseg.reports.run import run_lines, series_lines
from edgeseg.results import (
    ClassSegmentation,
    PatientSegmentation,
    PatientTrust,
    RunResult,
    SeriesList,
    SeriesListing,
    UnusedFiles,
    UsedSequence,
)
from edgeseg.specs import Contract, PostProcessing

FLAIR = SeriesListing(
    source="a",
    input="nifti",
    number=None,
    description="flair",
    plane="",
    slices=24,
    files=1,
    taken_for="flair",
    why=("its name",),
)


def _lines(*series: SeriesListing) -> list[str]:
    return [line.plain for line in series_lines(SeriesList(series=series, unused=()))]


def test_series_of_one_patient_need_no_heading_and_a_volume_is_no_plane() -> None:
    assert _lines(FLAIR) == ["-  'flair'  a volume, 24 slices: flair (its name)"]
    dicom = replace(FLAIR, input="dicom", number=3, plane="")
    assert _lines(dicom) == ["3  'flair'  plane unknown, 24 slices: flair (its name)"]


def test_series_of_several_patients_stand_below_their_folders() -> None:
    found = _lines(FLAIR, replace(FLAIR, source="b"), replace(FLAIR, taken_for=None))
    assert found[0] == "a:"
    assert found[3] == "b:"
    assert found[2].endswith("not used (its name)")
    assert len(found) == 5


def _run_of_classes(contract: Contract) -> RunResult:
    whole = ClassSegmentation(name="whole", label=1, pixels=30, volume_ml=3.0, slices=2, largest_diameter_mm=14.4)
    core = ClassSegmentation(name="=core", label=2, pixels=10, volume_ml=None, slices=1)
    both = PatientSegmentation(
        patient="p",
        slices=4,
        slices_with_tumour=2,
        tumour_pixels=30,
        tumour_volume_ml=3.0,
        largest_diameter_mm=14.4,
        latency_ms_p50=1.0,
        latency_ms_p95=1.0,
        total_ms=4.0,
        warnings=(),
        masks=(),
        classes=(whole, core),
    )
    lone = replace(both, patient="q", classes=())
    return RunResult(
        model="m.onnx", model_sha256="", contract=contract, runtime="r", threads=1, numerics="n", edgeseg="0",
        patients=(both, lone), network="mine",
    )  # fmt: skip


def test_each_of_several_classes_has_a_line_of_its_own(tiny_contract: Contract, tmp_path: Path) -> None:
    result = _run_of_classes(tiny_contract)
    told = [line.plain for line in run_lines(result, result.patients, out=tmp_path)]
    assert told[:3] == [
        "p: 3.0 mL, largest diameter 14 mm",
        "p: whole: 3.0 mL, largest diameter 14 mm",
        "p: =core: 10 pixels in 1 slice",
    ]


def test_volumes_that_nobody_knows_are_told_once(tiny_contract: Contract, tmp_path: Path) -> None:
    _, known = _run_of_classes(tiny_contract).patients
    rows = tuple(replace(known, patient=name, tumour_volume_ml=None, largest_diameter_mm=None) for name in "ab")
    result = replace(_run_of_classes(tiny_contract), patients=rows)
    told = [line.plain for line in run_lines(result, rows, out=tmp_path)]
    assert told[0] == "volume unknown, as the distances of pixels are; give them with --spacing"
    assert sum("volume unknown" in line for line in told) == 1


def test_a_patient_has_a_line_and_what_was_not_used_of_several_is_counted(
    tiny_contract: Contract, tmp_path: Path
) -> None:
    both, lone = _run_of_classes(tiny_contract).patients
    look = PatientTrust(
        dice_expected=0.641,
        look=True,
        because="border",
        why="no tumour",
        volume_low_ml=2.0,
        volume_high_ml=4.0,
        coverage=0.9,
    )
    masks = (UnusedFiles(name="a_mask.png and 1 more", files=2, why="masks by their names"),)
    flair = UsedSequence(sequence="flair", input="nifti", series="f.nii", files=1, slices=4)
    rows = (
        replace(both, classes=(), trust=look, unused=masks, used=(flair,), post_processing="volume"),
        replace(lone, unused=masks),
    )
    contract = replace(tiny_contract, post_processing=PostProcessing(min_volume_px=7))
    result = replace(_run_of_classes(tiny_contract), contract=contract, patients=rows)
    told = [line.plain for line in run_lines(result, rows, out=tmp_path)]
    assert told[:5] == [
        "p: LOOK AT THIS ONE: no tumour; 3.0 mL [2.0, 4.0], largest diameter 14 mm; expected Dice 0.64, an estimate",
        "p: read flair 'f.nii', 1 file, 4 slices",
        "q: 3.0 mL, largest diameter 14 mm",
        "not used, of 2 patients: 4 files: masks by their names; summary.json names them",
        "volumes: components under 7 voxels dropped",
    ]
    told = [line.plain for line in run_lines(result, (), out=tmp_path, csv=tmp_path / "t.csv")]
    assert told[1] == "nothing was left to do; without --resume they are segmented again"
    assert told[2].endswith("with 2 patients of earlier runs")
    assert told[3] == f"the same as a table: {tmp_path / 't.csv'}"
    told = [line.plain for line in run_lines(result, rows[1:], out=tmp_path)]
    assert "not used: 'a_mask.png and 1 more', 2 files: masks by their names" in told


def test_each_of_several_classes_has_columns_of_its_own(tiny_contract: Contract) -> None:
    both, lone = csv.DictReader(io.StringIO(patients(_run_of_classes(tiny_contract))))
    assert both["network"] == "mine"
    assert both["whole: volume_ml"] == "3.0"
    assert both["whole: label"] == "1"
    assert both["'=core: pixels"] == "10"
    assert both["'=core: volume_ml"] == lone["whole: pixels"] == ""
