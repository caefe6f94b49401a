"""One contract test over every target, with that target's own tolerance."""

from __future__ import annotations

import importlib
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg import artifacts
from edgeseg.errors import ContractError, MissingExtraError, OptionError, OutputError, UnknownNameError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.self_test import DRAWINGS, draw
from edgeseg.specs import Contract
from edgeseg.targets import TARGETS, ConvertJob, KerasPredictor, get, open_artifact, resolve

NAMES = list(TARGETS)
CALIBRATED = [name for name in NAMES if TARGETS[name].needs_calibration]


def test_the_table_names_format_and_precision_and_each_file_is_called_so() -> None:
    assert NAMES == [
        "keras-fp32", "tflite-fp32", "tflite-fp16", "tflite-dynamic", "tflite-int8", "tflite-int16x8",
        "onnx-fp32", "onnx-fp16", "onnx-dynamic", "onnx-int8", "ort-fp32", "ort-int8",
    ]  # fmt: skip
    for name, target in TARGETS.items():
        module = importlib.import_module(f"edgeseg.targets.{name.replace('-', '_')}")
        assert module.TARGET is target
        assert target.name.endswith(f"-{target.precision}")
        assert target.needs_calibration == (target.precision in ("int8", "int16x8"))
        assert target.files(Path("a") / f"{name}{target.suffix}")[0] == Path("a") / f"{name}{target.suffix}"


def test_names_resolve_once_each_in_the_order_of_the_table() -> None:
    assert [t.name for t in resolve(("all",))] == NAMES
    assert [t.name for t in resolve(("onnx-int8", "keras-fp32", "onnx-int8"))] == ["keras-fp32", "onnx-int8"]
    with pytest.raises(UnknownNameError, match=r"unknown target 'tflite-int4'; choose one of: all, .*tflite-int8"):
        resolve(("keras-fp32", "tflite-int4"))
    with pytest.raises(UnknownNameError, match="Did you mean 'onnx-int8'"):
        get("onnx-int-8")


def test_a_part_of_names_stands_for_all_that_have_it() -> None:
    assert [t.name for t in resolve(("int8",))] == ["tflite-int8", "onnx-int8", "ort-int8"]
    assert [t.name for t in resolve(("ort", "keras-fp32"))] == ["keras-fp32", "ort-fp32", "ort-int8"]


def test_importing_the_targets_loads_no_converter() -> None:
    code = (
        "import sys, edgeseg.targets; "
        "bad = {'tensorflow', 'keras', 'onnx', 'tf2onnx', 'h5py', 'ai_edge_litert'} & set(sys.modules); "
        "sys.exit(str(bad) if bad else 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_an_artifact_carries_its_contract_and_gives_one_logit_a_pixel(
    name: str, trained: Any, artifact: Callable[[str], Path]
) -> None:
    opened = open_artifact(artifact(name), threads=1)
    wanted = replace(trained.job.contract, target=name, layout=TARGETS[name].layout)
    assert replace(opened.contract, golden=None, content_sha256=None, contract_sha256=None) == wanted
    assert opened.contract.content_sha256 is not None, "the target does not seal what it writes"
    logits = opened.logits(trained.images[:3])
    assert logits.shape == (3, 64, 64)
    assert logits.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
def test_masks_equal_those_of_keras_within_the_tolerance_of_the_target(
    name: str, trained: Any, artifact: Callable[[str], Path]
) -> None:
    reference = KerasPredictor(trained.model, trained.job.contract).logits(trained.images) > 0
    overlap = 2 * (reference & trained.masks).sum() / (reference.sum() + trained.masks.sum())
    assert overlap > 0.6, "the reference network found no blobs, so parity would mean nothing"
    opened = open_artifact(artifact(name))
    if "saturating" in opened.numerics:
        pytest.skip("this CPU's int8 kernels saturate, and the graph in an .ort file is fixed")
    found = opened.logits(trained.images) > 0
    assert (found != reference).mean() * 1e6 <= TARGETS[name].max_flip_ppm


@pytest.mark.parametrize("name", NAMES)
def test_the_same_job_gives_the_same_bytes_and_leaves_the_network_as_it_was(
    name: str, trained: Any, artifact: Callable[[str], Path], make_network: Callable[[], Any], tmp_path: Path
) -> None:
    before = [weight.copy() for weight in trained.model.get_weights()]
    twin = make_network()
    twin.set_weights(before)
    again = tmp_path / artifact(name).name
    TARGETS[name].convert(replace_model(trained.job, twin), again)
    for one, other in zip(TARGETS[name].files(again), TARGETS[name].files(artifact(name)), strict=True):
        assert artifacts.sha256_file(one) == artifacts.sha256_file(other)
    after = twin.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_the_files_are_no_larger_than_their_weights_need(trained: Any, artifact: Callable[[str], Path]) -> None:
    weights = 4 * sum(weight.size for weight in trained.model.get_weights())
    sizes = {name: artifact(name).stat().st_size for name in NAMES}
    assert sizes["keras-fp32"] < 2 * weights, "the optimizer's state is in the file"
    limits = {"fp32": 1.3, "fp16": 0.65, "int8": 0.7, "int16x8": 0.4, "dynamic": 0.5}
    for name in NAMES[1:]:
        assert sizes[name] < limits[TARGETS[name].precision] * weights, name


@pytest.mark.parametrize("name", NAMES)
def test_a_shared_convolution_sums_and_resizing_convert(name: str, recurrent: ConvertJob, tmp_path: Path) -> None:
    path = tmp_path / f"r{TARGETS[name].suffix}"
    TARGETS[name].convert(recurrent, path)
    images = np.random.default_rng(6).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    reference = KerasPredictor(recurrent.model, recurrent.contract).logits(images)
    opened = open_artifact(path)
    if "saturating" in opened.numerics:
        pytest.skip("this CPU's int8 kernels saturate, and the graph in an .ort file is fixed")
    found = opened.logits(images)
    allowed = {"fp32": 1e-4, "fp16": 0.01 * np.ptp(reference)}.get(TARGETS[name].precision, 0.1 * np.ptp(reference))
    assert np.abs(found - reference).max() < allowed


@pytest.mark.parametrize("name", NAMES)
def test_conversion_writes_nothing_to_stdout_or_stderr_and_leaves_logging_alone(
    name: str, recurrent: ConvertJob, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers = list(logging.getLogger().handlers)
    TARGETS[name].convert(recurrent, tmp_path / f"r{TARGETS[name].suffix}")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().handlers == handlers


NUMERICS = {
    "tflite-fp16": "float32, float16 weights",
    "tflite-dynamic": "int8 weights, ranges of each slice (LiteRT dynamic range), float32 between",
    "tflite-int16x8": "int16 by int8, LiteRT's plain kernels (64-bit sums)",
    "onnx-fp16": "float16 weights, float32 where this CPU has no float16 kernel",
    "onnx-dynamic": "8-bit convolutions with ranges of each slice (32-bit sums), float32 between",
    "ort-fp32": "float32",
}


@pytest.mark.parametrize("name", NUMERICS)
def test_an_artifact_says_how_it_computes_here(name: str, artifact: Callable[[str], Path]) -> None:
    assert open_artifact(artifact(name)).numerics == NUMERICS[name]


@pytest.mark.parametrize("name", CALIBRATED)
def test_int8_without_ranges_is_refused(name: str, trained: Any, tmp_path: Path) -> None:
    job = ConvertJob(model=trained.model, contract=trained.job.contract)
    with pytest.raises(OptionError, match="needs the range of every layer's output, and none were given"):
        TARGETS[name].convert(job, tmp_path / "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_a_contract_for_another_size_is_refused(
    name: str, trained: Any, make_contract: Callable[..., Contract], tmp_path: Path
) -> None:
    job = ConvertJob(model=trained.model, contract=make_contract(height=128), ranges=trained.job.ranges)
    with pytest.raises(ContractError, match=r"takes \(None, 64, 64, 3\), and its contract says \(None, 128, 64, 3\)"):
        TARGETS[name].convert(job, tmp_path / "x")


@pytest.mark.parametrize("name", [name for name in NAMES if name != "keras-fp32"])
def test_a_network_on_another_backend_is_refused(
    name: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keras.backend.backend", lambda: "jax")
    with pytest.raises(OptionError, match="tensorflow backend; this one is a keras model on jax"):
        TARGETS[name].convert(trained.job, tmp_path / "x")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_library_names_the_extra(
    name: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("keras", "h5py", "tf2onnx"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeseg\[build\]'"):
        TARGETS[name].convert(trained.job, tmp_path / "x")


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_leaves_the_older_file_whole(
    name: str, recurrent: ConvertJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"x{TARGETS[name].suffix}"
    path.write_bytes(b"older")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        TARGETS[name].convert(recurrent, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"older"


@pytest.mark.parametrize("name", NAMES)
def test_a_network_that_finds_a_drawn_lesion_carries_a_golden_case_that_it_passes(
    name: str, recurrent: ConvertJob, tmp_path: Path
) -> None:
    """The network of `recurrent` is not trained, so its threshold is put where it draws something."""
    image = draw(DRAWINGS[0], 16, 16)
    logits = KerasPredictor(recurrent.model, recurrent.contract).logits(image[np.newaxis])
    threshold = 1 / (1 + np.exp(-float(np.quantile(logits, 0.85))))
    path = tmp_path / f"g{TARGETS[name].suffix}"
    job = ConvertJob(
        model=recurrent.model, contract=replace(recurrent.contract, threshold=threshold), ranges=recurrent.ranges
    )
    TARGETS[name].convert(job, path)
    opened = open_artifact(path)
    case = opened.contract.golden
    assert case is not None
    assert case.tumour_pixels > 0
    assert case.made_with == f"{opened.runtime}, {opened.numerics}"
    if isinstance(opened, Segmenter):
        assert opened.self_test().passed


def replace_model(job: ConvertJob, model: Any) -> ConvertJob:
    return replace(job, model=model, known={})
