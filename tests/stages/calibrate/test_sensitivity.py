"""Sensitivity: every layer has its figures, from training patients alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import OptionError, SeenPatientError
from edgeseg.jsonio import from_json, to_json
from edgeseg.reports.sensitivity import draw
from edgeseg.results import SensitivityResult
from edgeseg.stages.calibrate.ranges import ranges_or_measured
from edgeseg.stages.calibrate.sensitivity import check_target, ranking_patients, sensitivity, sqnr_db
from edgeseg.targets.target import quantisable_layers


@pytest.mark.usefixtures("shallow")
def test_every_layer_has_its_figures(tiny_lgg: Path, tiny_checkpoint: Path) -> None:
    checkpoint, dataset = read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg)
    model, recorded = ranges_or_measured(checkpoint, dataset, slices=6, seed=0)
    patients = ranking_patients(checkpoint, dataset, count=1, seed=0)
    seen: list[tuple[int, int | None]] = []
    result = sensitivity(
        checkpoint,
        model,
        recorded,
        dataset,
        patients,
        target="tflite-int8",
        seed=0,
        threads=1,
        progress=lambda done, total, _: seen.append((done, total)),
    )
    layers = quantisable_layers(model)
    assert tuple(entry.layer for entry in result.layers) == layers
    assert seen[-1] == (2 * len(layers) + 2, 2 * len(layers) + 2)
    assert all(entry.alone_sqnr_db is None or entry.alone_sqnr_db > 5 for entry in result.layers)
    noisiest = [entry.alone_sqnr_db for entry in result.worst_first() if entry.alone_sqnr_db is not None]
    assert noisiest == sorted(noisiest)
    assert len(noisiest) > len(layers) // 2
    assert from_json(SensitivityResult, to_json(result)) == result
    assert draw(result).startswith(b"\x89PNG")


def test_only_training_patients_are_looked_at(tiny_lgg: Path, tiny_checkpoint: Path) -> None:
    checkpoint, dataset = read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg)
    trained = checkpoint.header.train_patients
    assert set(ranking_patients(checkpoint, dataset, count=3, seed=0)) == set(trained)
    with pytest.raises(OptionError, match="4 training patients were asked for, and there are 3"):
        ranking_patients(checkpoint, dataset, count=4, seed=0)
    assert set(ranking_patients(checkpoint, dataset, count=None, seed=0)) == set(trained)
    other = replace(checkpoint, header=replace(checkpoint.header, train_patients=("someone",)))
    with pytest.raises(SeenPatientError, match="none of the 6 patients of kaggle-lgg trained"):
        ranking_patients(other, dataset, count=1, seed=0)


def test_the_ratio_is_that_of_powers() -> None:
    wanted = [np.full((1, 2, 2), 10.0, np.float32)]
    assert sqnr_db([wanted[0] + 1], wanted) == pytest.approx(20.0)
    assert sqnr_db(wanted, wanted) is None


def test_a_float_target_is_refused() -> None:
    with pytest.raises(OptionError, match="onnx-fp32 is fp32; sensitivity is that of an int8 target"):
        check_target("onnx-fp32")
