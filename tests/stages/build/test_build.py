"""The main job, end to end on a tiny network and a tiny data set."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg import artifacts, targets
from edgeseg.artifacts import read_build
from edgeseg.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, ImageError, OptionError, OutputError, SeenPatientError, UnknownNameError
from edgeseg.jsonio import to_json
from edgeseg.results import GOOD_STATUS, PARITY_FAILED, BuildResult, Choice
from edgeseg.runtime import read_contract
from edgeseg.runtime.contract import onnx_metadata
from edgeseg.specs import BuildSpec, OperatingPoint, Qat, VariantSpec, patient_digest
from edgeseg.stages.build import qat as build_qat
from edgeseg.stages.build.inputs import open_inputs
from edgeseg.stages.build.rows import failures
from edgeseg.stages.calibrate import ranges
from edgeseg.stages.calibrate import slices as calibrate
from edgeseg.stages.choose.choice import CHOICE_FILE
from edgeseg.stages.train.loop import TrainProgress

stage = importlib.import_module("edgeseg.stages.build.build")  # the file, not the function that the room names alike

SPEC = VariantSpec(name="alphax", alpha=0.0625, stem="half")
TRAINED = 3


@pytest.fixture
def spec(
    tiny_lgg: Path, tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, make_build: Any
) -> BuildSpec:
    """A build of two targets whose baseline is not measured: 372 MB have a test of their own."""
    known = make_build().baseline
    assert known is not None
    monkeypatch.setattr(stage, "measure_original", lambda **_: known)
    return BuildSpec(
        variant=SPEC,
        targets=("tflite-int8", "onnx-int8"),
        out=tmp_path / "build",
        data=tiny_lgg,
        checkpoint=tiny_checkpoint,
        calibration_slices=8,
        bench_runs=2,
    )


def _made(result: BuildResult) -> set[str]:
    return {record.stage for record in result.stages if not record.reused}


def test_a_build_leaves_artifacts_and_reports(spec: BuildSpec) -> None:
    result = stage.build(replace(spec, author="Somebody"))
    assert [row.artifact for row in result.artifacts] == ["keras-fp32", "tflite-int8", "onnx-int8"]
    assert onnx_metadata(spec.out / result.artifacts[2].path)["model_author"] == "Somebody"
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
    assert order == ["data", "model", "compress", "convert", "evaluate", "verify", "benchmark", "baseline", "report"]
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
    scored = {"verify onnx-fp32", "evaluate keras-fp32", "evaluate onnx-fp32"}
    assert _made(second) == scored | {"benchmark", "baseline", "baseline r2unet", "report"}


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


def test_an_artifact_that_fails_does_not_stop_the_others(spec: BuildSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    target = targets.get("tflite-int8")

    def broken(_job: object, _path: Path) -> None:
        raise RuntimeError("the converter gave up")

    monkeypatch.setitem(targets.TARGETS, "tflite-int8", replace(target, convert=broken))
    told: list[tuple[str, str]] = []
    result = stage.build(spec, on_failure=lambda step, reason: told.append((step, reason)))
    rows = {row.artifact: row for row in result.artifacts}
    failed = rows["tflite-int8"]
    assert failed.status == "FAILED: convert: RuntimeError: the converter gave up"
    assert (failed.size_bytes, failed.path, failed.evaluation, failed.latency) == (0, "", None, None)
    other = rows["onnx-int8"]
    assert None not in (other.parity, other.evaluation, other.latency)
    assert told == [("convert tflite-int8", "RuntimeError: the converter gave up")]
    assert failures(result)[0] == "tflite-int8 convert: RuntimeError: the converter gave up"
    assert read_build(spec.out) == result
    assert "FAILED: convert" in (spec.out / "report.md").read_text()
    monkeypatch.setitem(targets.TARGETS, "tflite-int8", target)
    mended = stage.build(spec)
    assert not any(row.status.startswith("FAILED") for row in mended.artifacts)
    assert "convert onnx-int8" not in _made(mended)


@pytest.fixture
def calibration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for recorded ranges, in which a build looks for shipped ones."""
    monkeypatch.setattr(artifacts, "homes", lambda: (tmp_path,))
    return tmp_path / "calibration"


def test_recorded_ranges_give_the_bytes_that_the_slices_give(
    spec: BuildSpec, tiny_lgg: Path, tiny_checkpoint: Path, calibration: Path
) -> None:
    measured = stage.build(replace(spec, calibration_slices=10))
    assert measured.calibration == "min-max over 10 slices of 3 patients of kaggle-lgg, measured in this build"
    manifest, recorded = ranges.choose_and_record(
        read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg), slices=10, seed=0
    )
    ranges.write_recorded(recorded, manifest, calibration)
    _only_others(tiny_lgg)
    elsewhere = replace(spec, out=spec.out.with_name("elsewhere"), calibration_slices=None)
    taken = stage.build(elsewhere)
    assert taken.calibration is not None
    assert taken.calibration.endswith("3 patients of kaggle-lgg, recorded before and shipped with these weights")
    assert (taken.calibrated_on, taken.calibration_patients) == ("kaggle-lgg", 3)
    assert [a.sha256 for a in taken.artifacts] == [a.sha256 for a in measured.artifacts]
    contract = read_contract(elsewhere.out / SPEC.slug / "tflite-int8.tflite")
    assert contract.calibration_hash == manifest.sha256
    trained = read_checkpoint(tiny_checkpoint).header.train_patients
    assert set(contract.seen_patients) == {patient_digest(patient) for patient in trained}
    assert "int8 ranges: min-max over 10 slices" in (elsewhere.out / "report.md").read_text()


def test_ranges_of_other_weights_are_not_taken(
    spec: BuildSpec, tiny_lgg: Path, tiny_checkpoint: Path, calibration: Path
) -> None:
    manifest, recorded = ranges.choose_and_record(
        read_checkpoint(tiny_checkpoint), KaggleLgg(tiny_lgg), slices=10, seed=0
    )
    ranges.write_recorded(replace(recorded, weights_sha256="0" * 64), manifest, calibration)
    _only_others(tiny_lgg)
    result = stage.build(replace(spec, calibration_slices=None, targets=("tflite-int8",)))
    assert result.calibrated_on == "phantom"
    assert result.calibration is not None
    assert result.calibration.endswith("of phantom, measured in this build")
    assert "CALIBRATED ON PHANTOMS" in (spec.out / "report.md").read_text()


def test_a_number_of_calibration_slices_without_effect_is_refused(spec: BuildSpec, tiny_lgg: Path) -> None:
    _only_others(tiny_lgg)
    with pytest.raises(OptionError, match=r"is 8, and none of the patients .* the shipped phantom set would be taken"):
        stage.build(spec)
    with pytest.raises(OptionError, match="is 8, and no int8 target is asked for"):
        stage.build(replace(spec, targets=("onnx-fp32",)))
    assert not spec.out.exists()


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
    for patient in KaggleLgg(root).patients[TRAINED:]:
        shutil.rmtree(root / "kaggle_3m" / patient)


def _only_others(root: Path) -> None:
    for patient in KaggleLgg(root).patients[:TRAINED]:
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


def test_a_choice_sets_threshold_and_post_processing(spec: BuildSpec, choice: Choice, tmp_path: Path) -> None:
    path = artifacts.write_text(tmp_path / CHOICE_FILE, to_json(choice))
    result = stage.build(replace(spec, targets=("onnx-int8",), choice=path))
    chosen = choice.chosen
    contract = read_contract(spec.out / SPEC.slug / "onnx-int8.onnx")
    assert (contract.threshold, contract.post_processing) == (chosen.threshold, chosen.post_processing)
    for row in result.artifacts:
        assert row.evaluation is not None
        assert (row.evaluation.threshold, row.evaluation.post_processing) == (0.3, chosen.post_processing)
        assert row.status == GOOD_STATUS
    assert "threshold 0.3, components under 0.05 of the largest dropped" in (spec.out / "report.md").read_text()


def test_shipped_weights_bring_their_choice_and_others_do_not(
    spec: BuildSpec, own_network: Callable[[str], Path], choice: Choice, tmp_path: Path
) -> None:
    beside = own_network("mine") / CHOICE_FILE
    shipped = replace(spec, checkpoint=None, network="mine")
    assert open_inputs(shipped).point == OperatingPoint()
    artifacts.write_text(beside, to_json(choice))
    assert open_inputs(shipped).point == choice.chosen
    assert open_inputs(spec).point == OperatingPoint()
    artifacts.write_text(beside, to_json(replace(choice, variant="unet")))
    with pytest.raises(OptionError, match="chosen for 'unet'"):
        open_inputs(shipped)
    with pytest.raises(OptionError, match="no choice of an operating point"):
        open_inputs(replace(spec, choice=tmp_path / "absent"))


@pytest.fixture
def more_patients(tiny_lgg: Path) -> None:
    """Two patients more, so that a search has enough on both sides."""
    for number in (7, 8):
        patient = f"TCGA_BB_000{number}_2000010{number}"
        shutil.copytree(tiny_lgg / "kaggle_3m" / "TCGA_BB_0005_20000105", tiny_lgg / "kaggle_3m" / patient)
        for path in (tiny_lgg / "kaggle_3m" / patient).iterdir():
            path.rename(path.with_name(path.name.replace("TCGA_BB_0005_20000105", patient)))


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders in which a search trained for int8: weights and ranges are scaled there, not trained."""
    folders: list[Path] = []

    def scaled(parent: Checkpoint, spec: Qat, cache: SliceCache, *, folder: Path, progress: Any) -> Checkpoint:
        folders.append(artifacts.make_dir(folder))
        arrays = parent.arrays | {"head/kernel": parent.arrays["head/kernel"] * np.float32(2)}
        made = read_checkpoint(write_checkpoint(folder / "weights.safetensors", parent.header, arrays))
        manifest = calibrate.choose_slices(cache, parent.header.train_patients, slices=8, seed=0)
        artifacts.write_text(folder / "ranges.json", to_json(ranges.record_ranges(made, manifest, cache)))
        progress(TrainProgress(epoch=1, epochs=1, step=1, steps_per_epoch=1, loss=0.0, dice_mean=None))
        assert spec == Qat()
        return made

    monkeypatch.setattr(build_qat, "apply_recipe", scaled)
    monkeypatch.setattr("edgeseg.stages.build.candidates.candidates", lambda *_, more, **__: iter(more))
    return folders


def test_a_search_within_a_budget_is_recorded_and_its_file_is_built(spec: BuildSpec, more_patients: None) -> None:
    asked = replace(spec, targets=("tflite-int8",), max_drop=0.9)
    result = stage.build(asked)
    (budget,) = result.budgets
    assert (budget.found, budget.confirmed, budget.chosen) == (True, True, "int8 (min-max)")
    assert [point.recipe for point in budget.tried] == ["int8 (min-max)"]
    assert budget.tried[0].drop.patients + budget.confirmation.patients == 5
    row = next(row for row in result.artifacts if row.artifact == "tflite-int8")
    assert row.sha256 == budget.tried[0].sha256
    assert read_build(asked.out) == result
    assert _made(stage.build(asked)) == set()


def test_a_budget_needs_patients_on_both_sides(spec: BuildSpec) -> None:
    with pytest.raises(OptionError, match="there are 3 to score; at least 4 are needed"):
        stage.build(replace(spec, targets=("tflite-int8",), max_drop=0.01))
    with pytest.raises(OptionError, match=r"max-drop is 1.5; a loss of Dice between 0 and 1"):
        replace(spec, max_drop=1.5)


def test_training_for_int8_is_the_last_try_and_serves_all_targets(
    spec: BuildSpec, choice: Choice, more_patients: None, trainings: list[Path], tmp_path: Path
) -> None:
    path = artifacts.write_text(tmp_path / CHOICE_FILE, to_json(choice))
    asked = replace(spec, max_drop=0.9, choice=path)
    steps: list[tuple[int, int | None, str]] = []
    result = stage.build(asked, progress=lambda *at: steps.append(at))
    assert [budget.chosen for budget in result.budgets] == [build_qat.RECIPE] * 2
    assert trainings == [spec.out / "qat" / result.weights_sha256[:12]]
    assert (1, 1, "train for int8") in steps
    assert result.calibration is not None
    assert result.calibration.startswith("tflite-int8: min-max over 8 slices")
    assert "onnx-int8: min-max over 8 slices" in result.calibration
    for row in result.artifacts[1:]:
        assert row.parity is not None
        assert row.status == GOOD_STATUS
        assert row.parity.max_logit_difference < 0.3, "held against what was trained for int8, not against its parent"
    plain = stage.build(replace(asked, max_drop=None, out=spec.out.with_name("plain")))
    assert {row.sha256 for row in plain.artifacts[1:]}.isdisjoint(row.sha256 for row in result.artifacts[1:])
    assert _made(stage.build(asked)) == set()


def test_what_cannot_be_trained_for_int8_is_not_tried(spec: BuildSpec, tiny_lgg: Path, trainings: list[Path]) -> None:
    inputs = open_inputs(spec)
    shared = replace(spec, variant=replace(SPEC, name="r2unet"))
    known = ranges.record_ranges(
        inputs.checkpoint, calibrate.choose_slices(inputs.dataset, inputs.trained, slices=8, seed=0), inputs.dataset
    )
    shutil.rmtree(tiny_lgg / "kaggle_3m" / inputs.checkpoint.header.train_patients[0])
    for asked, given in (
        (shared, inputs),
        (spec, replace(inputs, learned_ranges=known)),
        (spec, replace(inputs, dataset=KaggleLgg(tiny_lgg))),
    ):
        assert list(build_qat.AfterTraining(asked, given, None)) == []
    assert trainings == []
