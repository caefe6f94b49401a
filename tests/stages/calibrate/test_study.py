"""The calibration study on tiny data: which points there are, whom they are scored on, and what is taken over."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import SeenPatientError
from edgeseg.reports.calibration import markdown
from edgeseg.results import StageRecord
from edgeseg.stages.calibrate import slices as calibrate
from edgeseg.stages.calibrate.study import study
from tests._classes import CLASSES, Discs, several_masks


@pytest.mark.usefixtures("shallow")
def test_a_study_scores_held_out_patients_and_takes_points_over(
    tiny_lgg: Path, tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys.modules[study.__module__], "COUNTS", (4, 8, 512))
    monkeypatch.setattr(sys.modules[study.__module__], "METHODS", ("min-max", "percentile"))
    source = calibrate.phantom_calibration_data()
    phantoms = calibrate.choose_slices(source, source.patients[:1], slices=2, seed=0)
    monkeypatch.setattr(sys.modules[study.__module__], "shipped_phantom_set", lambda: phantoms)
    checkpoint, dataset = read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg)
    records: list[StageRecord] = []
    result = study(checkpoint, dataset, key="k", target="tflite-int8", seed=0, threads=1, on_stage=records.append)
    facts = [(point.data, point.slices, point.method) for point in result.points]
    assert facts == [
        ("kaggle-lgg", 4, "min-max"),
        ("kaggle-lgg", 8, "min-max"),
        ("kaggle-lgg", 8, "percentile"),
        ("phantom", 2, "min-max"),
    ]
    assert result.patients == len(checkpoint.header.validation_patients)
    page = markdown(result)
    assert page.count("| kaggle-lgg |") == 3
    again = study(checkpoint, dataset, key="k", target="tflite-int8", seed=0, threads=1, on_stage=records.append)
    assert again.points == result.points
    assert [record.reused for record in records] == [False] * 5 + [True] * 5


def test_a_study_scores_each_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys.modules[study.__module__], "COUNTS", (4,))
    monkeypatch.setattr(sys.modules[study.__module__], "METHODS", ("min-max",))
    source = calibrate.phantom_calibration_data()
    phantoms = calibrate.choose_slices(source, source.patients[:1], slices=2, seed=0)
    monkeypatch.setattr(sys.modules[study.__module__], "shipped_phantom_set", lambda: phantoms)
    result = study(several_masks(tmp_path), Discs(), key="k", target="tflite-int8", seed=0, threads=1)
    for point in result.points:
        assert [one.name for one in point.classes] == list(CLASSES)
        assert point.delta.mean == pytest.approx(np.mean([one.delta.mean for one in point.classes]))
    assert markdown(result).count("| whole | ") == markdown(result).count("| core | ") == 2


def test_data_without_held_out_patients_is_refused(tiny_lgg: Path, tiny_checkpoint: Path) -> None:
    checkpoint = read_checkpoint(tiny_checkpoint)
    other = replace(checkpoint, header=replace(checkpoint.header, validation_patients=("someone",)))
    with pytest.raises(SeenPatientError, match="none of the 6 patients of kaggle-lgg was held out"):
        study(other, KaggleLgg(tiny_lgg), key="k", target="tflite-int8", seed=0)
