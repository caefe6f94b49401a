"""A build on a site's own patients: what travels holds pseudonyms, and whoever has the key can still tell."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeseg.checkpoint import read_checkpoint, write_checkpoint
from edgeseg.cli.evaluate import evaluate as evaluate_command
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import SeenPatientError
from edgeseg.specs import BuildSpec, VariantSpec, is_pseudonym, patient_digest
from edgeseg.targets import open_artifact

stage = importlib.import_module("edgeseg.stages.build.build")  # the file, not the function that the room names alike

VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
IDS = tuple(f"47110{number}" for number in range(42, 48))


@pytest.fixture
def clinic(tiny_lgg: Path, tiny_checkpoint: Path) -> tuple[Path, Path]:
    """The tiny data set and the weights trained on half of it, its patients called by seven-digit record numbers."""
    root = tiny_lgg / "kaggle_3m"
    names = dict(zip(KaggleLgg(tiny_lgg).patients, IDS, strict=True))
    for patient, record in names.items():
        folder = (root / patient).rename(root / record)
        for file in folder.glob("*.tif"):
            file.rename(folder / file.name.replace(patient, record))
    found = read_checkpoint(tiny_checkpoint)
    header = replace(
        found.header,
        train_patients=tuple(names[patient] for patient in found.header.train_patients),
        validation_patients=tuple(names[patient] for patient in found.header.validation_patients),
    )
    write_checkpoint(found.path, header, found.arrays)
    return tiny_lgg, tiny_checkpoint


@pytest.fixture
def spec(clinic: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_build: Any) -> BuildSpec:
    monkeypatch.setattr(stage, "measure_original", lambda **_: make_build().baseline)
    return BuildSpec(
        variant=VARIANT,
        targets=("tflite-int8", "onnx-int8"),
        out=tmp_path / "out",
        data=clinic[0],
        checkpoint=clinic[1],
        calibration_slices=4,
        bench_runs=1,
        bench_budget_s=0.01,
        r2=False,
    )


def test_no_artifact_holds_an_id_or_a_digest_that_can_be_tried(
    spec: BuildSpec,
    clinic: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = stage.build(spec)
    paths = [tmp_path / "out" / row.path for row in result.artifacts]
    assert {path.suffix for path in paths} == {".hdf5", ".tflite", ".onnx"}
    for path in paths:
        content = path.read_bytes()
        for record in IDS:
            assert record.encode() not in content, (path, record)
            assert patient_digest(record).encode() not in content, (path, record)
    for row in result.artifacts:
        assert row.evaluation is not None
        assert (row.evaluation.seen_patients, row.evaluation.seen_unknown) == (0, 0)
        assert [score.patient for score in row.evaluation.patients] == list(IDS[3:])
    seen = open_artifact(paths[-1]).contract.seen_patients
    assert len(seen) == 3
    assert all(map(is_pseudonym, seen))

    with pytest.raises(SeenPatientError, match=f"3 of the 6 patients given: {IDS[0]}"):
        evaluate_command(paths[-1], clinic[0])
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "gone"))
    evaluate_command(paths[-1], clinic[0])
    assert "CANNOT TELL" in caplog.text


def test_ids_that_are_called_public_need_no_key(
    spec: BuildSpec, clinic: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = replace(spec, targets=("onnx-int8",), public_ids=True)
    result = stage.build(spec)
    path = spec.out / next(row.path for row in result.artifacts if row.target == "onnx-int8")
    assert set(open_artifact(path).contract.seen_patients) == {patient_digest(record) for record in IDS[:3]}
    monkeypatch.setenv("EDGESEG_PATIENT_KEY", str(tmp_path / "gone"))
    with pytest.raises(SeenPatientError):
        evaluate_command(path, clinic[0])
