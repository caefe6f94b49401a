"""A build that starts from a network somebody else trained."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.open import open_dataset
from edgeseg.errors import ArtifactError, CheckpointError, ContractError, OptionError, SeenPatientError
from edgeseg.jsonio import to_json
from edgeseg.reports.summary import summarise
from edgeseg.results import Choice
from edgeseg.runtime import read_contract
from edgeseg.specs import BuildSpec, patient_digest
from edgeseg.stages.adopt import adopt, adopted
from edgeseg.stages.build import build, failures
from edgeseg.stages.build.inputs import open_inputs
from edgeseg.stages.calibrate import calibration_patients
from edgeseg.stages.check import read_artifacts
from edgeseg.stages.score import compare
from edgeseg.stages.train import average
from edgeseg.targets import TARGETS
from tests.foreign._keras_networks import saved, unet

Write = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    adopt(saved(unet(keras), tmp_path / "theirs.h5"), tmp_path / "run")
    return tmp_path / "run"


def spec(run: Path, **options: object) -> BuildSpec:
    given = {
        "targets": ("tflite-int8",),
        "out": run.parent / "build",
        "bench_runs": 2,
        "bench_budget_s": 0.1,
        **options,
    }
    return BuildSpec(variant=read_checkpoint(run).header.variant, checkpoint=run, **given)  # type: ignore[arg-type]


def test_the_file_that_was_given_is_baseline_and_reference(run: Path, tiny_lgg: Path) -> None:
    result = build(spec(run, data=tiny_lgg))
    file = run / "source" / "theirs.h5"
    assert result.baseline is not None
    assert (result.baseline.given, result.baseline.variant) == (True, "theirs.h5")
    assert result.baseline.size_bytes == file.stat().st_size
    assert result.baseline.evaluation is not None
    assert result.r2 is None
    assert [row.target for row in result.artifacts] == ["keras-fp32", "tflite-int8"]
    first = result.artifacts[0]
    assert first.parity is not None
    assert first.parity.passed
    assert first.parity.flipped_pixels == 0
    report = summarise(result)
    assert any("theirs.h5" in remark and "as it was given" in remark for remark in report.remarks)
    assert not any("372" in remark for remark in report.remarks)


def test_what_was_chosen_holds_for_the_file_that_was_given_too(
    run: Path, tiny_lgg: Path, tmp_path: Path, choice: Choice
) -> None:
    plain = build(spec(run, data=tiny_lgg))
    place = tmp_path / "choice.json"
    place.write_text(to_json(replace(choice, variant=read_checkpoint(run).header.variant.slug)))
    result = build(spec(run, data=tiny_lgg, choice=place))
    assert plain.baseline is not None
    assert plain.baseline.evaluation is not None
    assert result.baseline is not None
    assert result.baseline.evaluation is not None
    assert (plain.baseline.evaluation.threshold, result.baseline.evaluation.threshold) == (0.5, 0.3)
    assert [row.status for row in result.artifacts] == ["ok", "ok"]


def test_who_is_calibrated_on_is_not_scored_and_the_report_names_them(run: Path, tiny_lgg: Path) -> None:
    result = build(spec(run, data=tiny_lgg))
    kept = calibration_patients(read_checkpoint(run), open_dataset(tiny_lgg), seed=0)
    row = result.artifacts[1]
    assert row.evaluation is not None
    scored = {patient.patient for patient in row.evaluation.patients}
    assert kept
    assert not scored & set(kept)
    assert scored | set(kept) == set(open_dataset(tiny_lgg).patients)
    assert result.origin is not None
    assert kept[0] in result.origin
    contract = read_contract(run.parent / "build" / row.path)
    assert contract.seen_patients == tuple(sorted(map(patient_digest, kept)))
    assert set(calibration_patients(read_checkpoint(run), open_dataset(tiny_lgg), seed=1)) != set(kept)


def test_calibration_data_of_its_own_leaves_everyone_to_be_scored(run: Path, tiny_lgg: Path, tmp_path: Path) -> None:
    others = tmp_path / "others" / "kaggle_3m"
    others.mkdir(parents=True)
    first = sorted(path for path in (tiny_lgg / "kaggle_3m").iterdir() if path.is_dir())[0]
    first.rename(others / first.name)
    inputs = open_inputs(spec(run, data=tiny_lgg, calibration_data=tmp_path / "others"))
    assert inputs.trained == ()
    assert len(inputs.unseen) == len(open_dataset(tiny_lgg).patients)


def test_calibration_data_with_a_patient_who_is_scored_is_refused(run: Path, tiny_lgg: Path) -> None:
    with pytest.raises(SeenPatientError, match="would be evaluated on"):
        build(spec(run, data=tiny_lgg, calibration_data=tiny_lgg))


def test_another_file_can_be_the_baseline(run: Path, tmp_path: Path) -> None:
    other = saved(unet(keras, up="nearest"), tmp_path / "other.keras")
    result = build(spec(run, baseline=other, phantom_patients=1, targets=("keras-fp32",)))
    assert result.baseline is not None
    assert (result.baseline.variant, result.baseline.size_bytes) == ("other.keras", other.stat().st_size)


def test_a_converted_file_of_others_can_be_the_baseline(run: Path, tmp_path: Path, tiny_tflite: Write) -> None:
    other = tiny_tflite("other.tflite", contract=None, int8=True)
    given = {"baseline": other, "phantom_patients": 1, "targets": ("keras-fp32",)}
    with pytest.raises(ContractError, match="--baseline-contract"):
        build(spec(run, **given))
    told = tmp_path / "told.toml"
    told.write_text("size = [16, 24]\n")
    result = build(spec(run, **given, baseline_contract=told))
    assert result.baseline is not None
    assert (result.baseline.variant, result.baseline.size_bytes) == ("other.tflite", other.stat().st_size)
    assert (result.baseline.parameters, result.baseline.evaluation is None) == (4, False)
    with pytest.raises(OptionError, match="says something of --baseline"):
        spec(run, baseline_contract=told)


def test_a_converted_file_of_others_is_not_rebuilt(tmp_path: Path, tiny_tflite: Write) -> None:
    with pytest.raises(ArtifactError, match="not be rebuilt"):
        adopted(tiny_tflite(contract=None), tmp_path)


def test_an_import_on_the_way_is_not_done_twice(tmp_path: Path) -> None:
    file = saved(unet(keras), tmp_path / "net.keras")
    first = adopted(file, tmp_path / "imported")
    before = (first / "weights.safetensors").stat().st_mtime_ns
    assert adopted(file, tmp_path / "imported") == first
    assert (first / "weights.safetensors").stat().st_mtime_ns == before


@pytest.fixture
def leaky(tmp_path: Path) -> Path:
    """A run of a network with a layer that has no int16 kernel."""
    image = keras.Input((16, 16, 3))
    x = keras.layers.LeakyReLU()(keras.layers.Conv2D(4, 3, padding="same")(image))
    file = saved(keras.Model(image, keras.layers.Conv2D(1, 1, activation="sigmoid")(x)), tmp_path / "leaky.keras")
    adopt(file, tmp_path / "run")
    return tmp_path / "run"


def test_a_format_that_cannot_hold_a_network_is_no_failure(leaky: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = (TARGETS["keras-fp32"], TARGETS["tflite-int16x8"])
    monkeypatch.setattr(sys.modules["edgeseg.stages.build.inputs"], "resolve", lambda _: only)
    result = build(spec(leaky, targets=("all",), phantom_patients=1))
    _, row = result.artifacts
    assert row.status.startswith("not made: the network has LeakyReLU, which the int16 kernels")
    assert (row.ruled_out, row.stands, row.path, row.size_bytes) == (True, False, "", 0)
    assert failures(result) == []
    (_, same) = compare(result, result, names=("a", "b")).artifacts
    assert not same.same_file
    assert (same.size_bytes_before, same.size_bytes_after) == (None, None)
    found, _ = read_artifacts([spec(leaky).out])
    assert list(found) == ["leaky/keras-fp32"]


def test_a_format_that_cannot_hold_a_network_is_refused_by_name(leaky: Path) -> None:
    with pytest.raises(ArtifactError, match=r"^tflite-int16x8 cannot be made: the network has LeakyReLU"):
        build(spec(leaky, targets=("all", "tflite-int16x8")))
    assert not list(spec(leaky).out.rglob("*.tflite"))


def test_what_needs_its_training_is_refused_in_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="was not trained here"):
        average([run, run], out=tmp_path / "mean")
