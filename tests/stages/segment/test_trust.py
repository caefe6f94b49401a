"""What a run tells of how far a mask is to be trusted: JSON, CSV and lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import edgeseg
from edgeseg.data.slice_scan import SliceScan
from edgeseg.imaging import to_network
from edgeseg.jsonio import from_json
from edgeseg.reports.csv import patients
from edgeseg.reports.run import run_lines
from edgeseg.results import RunResult
from edgeseg.specs import Contract, RunOptions, Trust
from edgeseg.stages.segment import run
from edgeseg.stages.segment.patient_trust import patient_trust
from edgeseg.stages.ship.trust_vectors import trust_vectors
from edgeseg.trust import OutputTally, judge

Write = Callable[..., Path]
OUTPUT = trust_vectors()[0].trust


@pytest.fixture
def model(tiny_onnx: Write, tiny_contract: Contract) -> Path:
    return tiny_onnx(contract=replace(tiny_contract, trust=Trust(output=OUTPUT)).versioned())


@pytest.fixture
def volumes(write_nifti: Write) -> dict[str, Path]:
    """FLAIR with a bright box that fades to the sides, in slices of 16 x 24 pixels."""
    fade = np.clip(240 - 20 * np.abs(np.arange(24) - 12), 0, 255)
    flair = np.zeros((5, 16, 24), np.int16)
    flair[1:4, 4:12] = fade
    flair[0, 0, 0] = 255
    dim = np.full_like(flair, 100)
    dim[0, 0, 0] = 255
    return {
        name: write_nifti(f"{name}.nii.gz", values, spacing_mm=(1.0, 1.0, 1.0))
        for name, values in (("pre", dim), ("flair", flair), ("post", dim))
    }


def test_a_run_tells_it_everywhere(model: Path, volumes: dict[str, Path], tmp_path: Path) -> None:
    options = RunOptions(sequences=volumes)
    result = run(model, out=tmp_path / "out", threads=1, options=options)
    (row,) = result.patients
    with edgeseg.open_scan(sequences=volumes) as scan:
        segmenter = edgeseg.load(model, threads=1)
        tally = OutputTally(OUTPUT.levels)
        masks, verdict = segmenter.segment_judged(scan)
        for index in range(len(scan.slice_names)):
            seen = to_network(scan.image(index)[np.newaxis], segmenter.contract, scan.channels)
            tally.add(segmenter.logits(seen)[0])
    assert verdict == judge(tally.counts, OUTPUT)
    assert int(masks.sum()) == row.tumour_pixels > 0
    told = row.trust
    assert told is not None
    assert (told.dice_expected, told.look, told.coverage) == (verdict.dice_expected, verdict.look, 0.9)
    assert (told.volume_low_ml, told.volume_high_ml) == verdict.interval(row.tumour_volume_ml)
    assert from_json(RunResult, (tmp_path / "out" / "summary.json").read_bytes()).patients[0].trust == told
    (cells,) = csv.DictReader(io.StringIO(patients(result)))
    assert float(cells["dice_expected"]) == told.dice_expected
    assert cells["look"] == str(told.look)
    lines = "\n".join(line.plain for line in run_lines(result, result.patients, out=tmp_path))
    assert f"mL [{told.volume_low_ml:.1f}, {told.volume_high_ml:.1f}]" in lines
    assert f"expected Dice {told.dice_expected:.2f}" in lines


def test_a_mask_that_nothing_speaks_for_is_to_be_looked_at(
    tiny_onnx: Write, tiny_contract: Contract, volumes: dict[str, Path], tmp_path: Path
) -> None:
    strict = replace(OUTPUT, low=1 - 1e-6, middle=1 - 1e-7, high=1 - 1e-8)
    model = tiny_onnx(contract=replace(tiny_contract, trust=Trust(output=strict)).versioned())
    result = run(model, out=tmp_path / "out", threads=1, options=RunOptions(sequences=volumes))
    told = result.patients[0].trust
    assert told is not None
    assert (told.look, told.because, told.volume_low_ml) == (True, "nothing-found", None)
    lines = "\n".join(line.plain for line in run_lines(result, result.patients, out=tmp_path))
    assert "LOOK AT THIS ONE: no tumour was found" in lines


def test_lone_slices_and_models_without_numbers_tell_nothing(
    model: Path, tiny_onnx: Write, volumes: dict[str, Path], tmp_path: Path
) -> None:
    with edgeseg.open_scan(sequences=volumes) as scan:
        assert edgeseg.load(tiny_onnx("plain.onnx"), threads=1).segment_judged(scan)[1] is None
    picture = tmp_path / "1.png"
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(picture)
    assert edgeseg.load(model, threads=1).segment_judged(SliceScan("lone", (picture,), volume=False))[1] is None


def test_of_an_empty_mask_no_dice_is_expected_and_no_interval_given(tiny_contract: Contract) -> None:
    """Where components were dropped, the network's output tells of a mask that nobody sees."""
    contract = replace(tiny_contract, trust=Trust(output=OUTPUT)).versioned()
    tally = OutputTally(OUTPUT.levels)
    for one in np.full((2, 4, 4), 0.5, np.float32):
        tally.add(one)
    verdict = judge(tally.counts, OUTPUT)
    assert verdict.dice_expected is not None
    kept, dropped = (patient_trust(tally, contract, None, empty=empty) for empty in (False, True))
    assert kept is not None
    assert dropped is not None
    assert kept.dice_expected == verdict.dice_expected
    assert (dropped.dice_expected, dropped.volume_low_ml, dropped.volume_high_ml) == (None, None, None)
    assert (dropped.look, dropped.why) == (verdict.look, verdict.why)
