"""The main job, end to end on a tiny network and a tiny data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg import targets
from edgeseg.checkpoint import CheckpointHeader, weight_names, write_checkpoint
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, ImageError, OptionError, OutputError, SeenPatientError, UnknownNameError
from edgeseg.results import BuildResult
from edgeseg.runtime import read_contract
from edgeseg.specs import BuildSpec, ImageSpec, TrainSpec, VariantSpec
from edgeseg.stages import build as stage
from edgeseg.stages.build_rows import PARITY_FAILED, failures
from edgeseg.stages.report import GOOD_STATUS, read_build
from edgeseg.variants import build_model

SPEC = VariantSpec(name="alphax", alpha=0.0625, stem="half")
SIDE = ImageSpec(height=64, width=64)
TRAINED = 3


@pytest.fixture
def checkpoint(tiny_lgg: Path, tmp_path: Path) -> Path:
    """Weights whose masks are neither empty nor full, "trained" on the first three patients."""
    from edgeseg.backend import load_keras

    load_keras().utils.set_random_seed(0)
    model = build_model(SPEC, SIDE)
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    images = KaggleLgg(tiny_lgg).volume("TCGA_AA_0002_20000102").images.astype(np.float32) / 255
    arrays["head/bias"] = arrays["head/bias"] - np.float32(np.median(np.asarray(model(images, training=False))))
    patients = KaggleLgg(tiny_lgg).patients
    header = CheckpointHeader(
        kind="weights",
        variant=SPEC,
        image=SIDE,
        train=TrainSpec(variant=SPEC),
        data="kaggle-lgg",
        data_hash="0",
        train_patients=patients[:TRAINED],
        validation_patients=patients[TRAINED:],
        epoch=1,
        backend="tensorflow",
        versions={},
    )
    return write_checkpoint(tmp_path / "run" / "weights.safetensors", header, arrays)


@pytest.fixture
def spec(
    tiny_lgg: Path, tmp_path: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, make_build: Any
) -> BuildSpec:
    """A build of two targets whose baseline is not measured: 372 MB have a test of their own."""
    known = make_build().baseline
    assert known is not None
    monkeypatch.setattr(stage, "baseline", lambda **_: known)
    return BuildSpec(
        variant=SPEC,
        targets=("tflite-int8", "onnx-int8"),
        out=tmp_path / "build",
        data=tiny_lgg,
        checkpoint=checkpoint,
        calibration_slices=8,
        bench_runs=2,
    )


def _made(result: BuildResult) -> set[str]:
    return {record.stage for record in result.stages if not record.reused}


def test_a_build_leaves_artifacts_and_reports(spec: BuildSpec) -> None:
    result = stage.build(spec)
    assert [row.artifact for row in result.artifacts] == ["keras-fp32", "tflite-int8", "onnx-int8"]
    for row in result.artifacts:
        path = spec.out / row.path
        assert path.stat().st_size == row.size_bytes
        assert row.evaluation is not None
        assert row.evaluation.seen_patients == 0
        assert {p.patient for p in row.evaluation.patients}.isdisjoint(
            KaggleLgg(Path(str(spec.data))).patients[:TRAINED]
        )
        assert row.latency is not None
        assert row.latency.runs == 2
    contract = read_contract(spec.out / SPEC.slug / "tflite-int8.tflite")
    assert contract.calibrated_on == result.calibrated_on == "kaggle-lgg"
    assert contract.licence == "CC BY-NC-SA 4.0"
    assert len(contract.seen_patients) == TRAINED
    assert result.training_patients == TRAINED
    assert result.calibration_patients <= TRAINED
    assert not result.rests_on_phantoms
    order = list(dict.fromkeys(record.stage.split()[0] for record in result.stages))
    assert order == ["data", "model", "compress", "convert", "verify", "evaluate", "benchmark", "baseline", "report"]
    assert read_build(spec.out) == result
    assert "tflite-int8" in (spec.out / "report.md").read_text()
    assert json.loads((spec.out / "report.json").read_text())["schema_version"] == 1


def test_unchanged_stages_are_not_run_again(spec: BuildSpec) -> None:
    first = stage.build(spec)
    assert _made(first) == {record.stage for record in first.stages}
    again = stage.build(spec)
    assert _made(again) == set()
    assert again.artifacts == first.artifacts
    (spec.out / SPEC.slug / "onnx-int8.onnx").write_bytes(b"damaged")
    mended = stage.build(spec)
    assert _made(mended) == {"convert onnx-int8"}
    assert mended.artifacts == first.artifacts
    assert _made(stage.build(replace(spec, rebuild=True))) == {record.stage for record in first.stages}


def test_figures_of_another_machine_are_not_taken_over(spec: BuildSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage.build(replace(spec, targets=("onnx-fp32",)))
    assert (first.calibrated_on, first.calibration_patients) == (None, 0)
    monkeypatch.setattr(stage, "environment", lambda: replace(first.environment, cpu="another"))
    second = stage.build(replace(spec, targets=("onnx-fp32",)))
    assert second.environment.cpu == "another"
    measured = {"verify onnx-fp32", "evaluate keras-fp32", "evaluate onnx-fp32", "benchmark", "baseline", "report"}
    assert _made(second) == measured


def test_a_killed_build_is_completed_by_the_next(spec: BuildSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    target = targets.get("onnx-int8")

    def killed(_job: object, path: Path) -> None:
        from edgeseg import artifacts

        with artifacts.staged(path) as temporary:
            temporary.write_bytes(b"half an artifact")
            raise KeyboardInterrupt

    monkeypatch.setitem(targets.TARGETS, "onnx-int8", replace(target, convert=killed))
    with pytest.raises(KeyboardInterrupt):
        stage.build(spec)
    assert not (spec.out / SPEC.slug / "onnx-int8.onnx").exists()
    assert not (spec.out / "build.json").exists()
    monkeypatch.setitem(targets.TARGETS, "onnx-int8", target)
    result = stage.build(spec)
    assert "convert tflite-int8" not in _made(result)
    assert "convert onnx-int8" in _made(result)
    assert read_contract(spec.out / SPEC.slug / "onnx-int8.onnx").target == "onnx-int8"
    assert read_build(spec.out) == result


def test_a_parity_failure_names_the_artifact_and_the_slice(spec: BuildSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    target = targets.get("tflite-int8")

    def shifted(job: targets.ConvertJob, path: Path) -> None:
        from edgeseg.backend import load_keras

        model = load_keras().models.clone_model(job.model)
        *weights, bias = job.model.get_weights()
        model.set_weights([*weights, bias + np.float32(1.0)])
        target.convert(replace(job, model=model), path)

    monkeypatch.setitem(targets.TARGETS, "tflite-int8", replace(target, convert=shifted))
    result = stage.build(replace(spec, targets=("tflite-int8",)))
    (sentence,) = failures(result)
    assert sentence.startswith("tflite-int8 flips")
    assert "worst in TCGA_" in sentence
    assert [row.status for row in result.artifacts] == [GOOD_STATUS, PARITY_FAILED]


def test_a_build_without_int8_calibrates_on_nobody(spec: BuildSpec) -> None:
    result = stage.build(replace(spec, targets=("onnx-fp32",)))
    assert (result.calibrated_on, result.calibration_patients) == (None, 0)
    assert read_contract(spec.out / SPEC.slug / "onnx-fp32.onnx").calibration_hash is None


def test_a_damaged_slice_stops_the_build_before_any_conversion(spec: BuildSpec, tiny_lgg: Path) -> None:
    patient = KaggleLgg(tiny_lgg).patients[-1]
    damaged = tiny_lgg / "kaggle_3m" / patient / f"{patient}_2.tif"
    damaged.write_bytes(damaged.read_bytes()[:200])
    with pytest.raises(ImageError, match=damaged.name):
        stage.build(spec)
    assert not (spec.out / SPEC.slug).exists()


def _only_trained(root: Path) -> None:
    import shutil

    for patient in KaggleLgg(root).patients[TRAINED:]:
        shutil.rmtree(root / "kaggle_3m" / patient)


def test_scoring_on_seen_patients_needs_the_callers_word(spec: BuildSpec, tiny_lgg: Path) -> None:
    _only_trained(tiny_lgg)
    with pytest.raises(SeenPatientError, match=r"all 3 patients.*--allow-seen"):
        stage.build(spec)
    assert not spec.out.exists()
    result = stage.build(replace(spec, allow_seen=True, targets=("onnx-fp32",)))
    assert all(row.evaluation is not None and row.evaluation.seen_patients == 3 for row in result.artifacts)
    assert "SEEN" in (spec.out / "report.md").read_text()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: replace(s, targets=()), OptionError, "no target was named"),
        (lambda s: replace(s, targets=("tflite-int9",)), UnknownNameError, "Did you mean 'tflite-int8'"),
        (
            lambda s: replace(s, variant=VariantSpec(name="unet", stem="full", alpha=1.0)),
            CheckpointError,
            "holds weights",
        ),
        (lambda s: replace(s, checkpoint=s.out / "none"), CheckpointError, "no checkpoint"),
        (
            lambda s: replace(s, checkpoint=None, variant=replace(SPEC, alpha=0.3)),
            CheckpointError,
            "no trained weights",
        ),
    ],
    ids=["nothing", "target", "variant", "missing", "not-shipped"],
)
def test_bad_input_is_refused_before_anything_is_written(
    spec: BuildSpec, change: Callable[[BuildSpec], BuildSpec], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        stage.build(change(spec))
    assert not spec.out.exists()


def test_an_output_place_that_is_a_file_is_refused(spec: BuildSpec) -> None:
    spec.out.write_text("a file")
    with pytest.raises(OutputError, match="choose another place"):
        stage.build(spec)
