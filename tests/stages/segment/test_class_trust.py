"""What a run tells of how far each of several masks is to be trusted: JSON, CSV, lines, and what a node writes."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import edgeseg
from edgeseg.jsonio import from_json
from edgeseg.node.capture import comment_of, measured
from edgeseg.node.report import Finding, told_trust
from edgeseg.reports.csv import patients
from edgeseg.reports.run import run_lines
from edgeseg.results import PatientSegmentation, RunResult
from edgeseg.specs import INTENDED_USE, RunOptions
from edgeseg.stages.segment import run

NETWORK = Path(__file__).parents[2] / "golden" / "classes" / "overlapping.onnx"
WHOLE, CORE, ENHANCING = "whole-tumour", "core", "enhancing"


@pytest.fixture
def volumes(write_nifti: Callable[..., Path]) -> dict[str, Path]:
    """A head with a tumour in FLAIR that fades to the sides, in the middle of which post-contrast is bright too."""
    grey = np.zeros((6, 32, 32), np.int16)
    grey[:, 4:28, 4:28] = 60
    flair, post = grey.copy(), grey.copy()
    flair[1:5, 4:28, 2:30] = np.maximum(60, 240 - 12 * np.abs(np.arange(28) - 14))
    post[2:4, 9:19, 6:22] = 240 - 20 * np.abs(np.arange(16) - 8)
    made = {"pre": grey, "flair": flair, "post": post, "t2": grey}
    return {name: write_nifti(f"{name}.nii.gz", values, spacing_mm=(1.0, 1.0, 1.0)) for name, values in made.items()}


@pytest.fixture
def result(volumes: dict[str, Path], tmp_path: Path) -> RunResult:
    return run(NETWORK, out=tmp_path / "out", threads=1, options=RunOptions(sequences=volumes))


def finding(row: PatientSegmentation) -> Finding:
    return Finding(
        volume_ml=row.tumour_volume_ml,
        largest_diameter_mm=row.largest_diameter_mm,
        slices=row.slices,
        slices_with_tumour=row.slices_with_tumour,
        model_sha256="0" * 64,
        variant="unet",
        target="onnx-int8",
        classes=row.classes,
        trust=row.trust,
    )


def test_each_class_has_an_interval_of_its_own(result: RunResult, volumes: dict[str, Path], tmp_path: Path) -> None:
    (row,) = result.patients
    by_name = {one.name: one for one in row.classes}
    segmenter = edgeseg.load(NETWORK, threads=1)
    with edgeseg.open_scan(sequences=volumes, channels=segmenter.contract.channel_set) as scan:
        tally = segmenter.tally_for(scan)
        list(segmenter.segment_scan(scan, tally=tally))
        told = dict(zip(by_name, segmenter.mask_verdicts(tally), strict=True))
    assert told[CORE] is None
    assert by_name[CORE].trust is None
    for name in (WHOLE, ENHANCING):
        verdict, trust = told[name], by_name[name].trust
        assert verdict is not None
        assert trust is not None
        assert by_name[name].pixels > 0
        assert (trust.dice_expected, trust.look) == (verdict.dice_expected, verdict.look)
        assert (trust.volume_low_ml, trust.volume_high_ml) == verdict.interval(by_name[name].volume_ml)
        assert trust.volume_low_ml is not None
    assert row.trust is not None
    assert row.trust.volume_low_ml is None
    enhancing = by_name[ENHANCING].trust
    assert enhancing is not None
    assert (row.trust.look, row.trust.why) == (True, f"{ENHANCING}: {enhancing.why}")
    assert from_json(RunResult, (tmp_path / "out" / "summary.json").read_bytes()).patients == result.patients


def test_lines_and_tables_tell_of_each(result: RunResult, tmp_path: Path) -> None:
    (row,) = result.patients
    lines = [line.plain for line in run_lines(result, result.patients, out=tmp_path)]
    whole = next(one for one in row.classes if one.name == WHOLE)
    assert whole.trust is not None
    shown = next(line for line in lines if WHOLE in line and "mL" in line)
    assert f"{whole.volume_ml:.1f} mL [{whole.trust.volume_low_ml:.1f}, {whole.trust.volume_high_ml:.1f}]" in shown
    assert any("LOOK AT THIS ONE: enhancing: " in line for line in lines)
    (cells,) = csv.DictReader(io.StringIO(patients(result)))
    assert float(cells[f"{WHOLE}: volume_low_ml"]) == whole.trust.volume_low_ml
    assert cells[f"{ENHANCING}: look"] == "True"
    assert f"{CORE}: look" not in cells


def test_a_node_tells_of_each(result: RunResult) -> None:
    (row,) = result.patients
    told = told_trust(finding(row))
    assert [line.split(": ")[0] for line in told] == ["LOOK AT THIS ONE", WHOLE, WHOLE, ENHANCING, ENHANCING]
    assert sum("the volume lies between" in line for line in told) == 2
    assert [f"{line}." for line in told] == measured(finding(row))[len(row.classes) :]


def test_nothing_found_of_a_class_is_no_reason_to_look(
    volumes: dict[str, Path], write_nifti: Callable[..., Path], tmp_path: Path
) -> None:
    grey = np.zeros((6, 32, 32), np.int16)
    grey[:, 4:28, 4:28] = 60
    dark = write_nifti("dark.nii.gz", grey, spacing_mm=(1.0, 1.0, 1.0))
    options = RunOptions(sequences=volumes | {"flair": dark, "post": dark})
    (row,) = run(NETWORK, out=tmp_path / "out", threads=1, options=options).patients
    assert [one.trust for one in row.classes] == [None, None, None]
    assert row.trust is not None
    assert (row.trust.look, row.trust.because) == (True, "nothing-found")


def test_what_is_told_of_very_many_classes_stays_what_dicom_can_hold(result: RunResult) -> None:
    found = finding(result.patients[0])
    told = comment_of(replace(found, classes=found.classes * 85))
    assert len(told) <= 10_240
    assert told.endswith(INTENDED_USE)
