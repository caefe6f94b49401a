"""Weights on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import (
    CheckpointHeader,
    check_weights,
    load_weights,
    read_checkpoint,
    weight_names,
    write_checkpoint,
)
from edgeseg.errors import CheckpointError
from edgeseg.specs import ImageSpec, TrainSpec, VariantSpec
from edgeseg.variants import build_model

SPEC = VariantSpec(name="alphax", alpha=0.0625, stem="half")
SMALL = ImageSpec(height=32, width=32)


@pytest.fixture
def header() -> CheckpointHeader:
    return CheckpointHeader(
        kind="weights",
        variant=SPEC,
        image=SMALL,
        train=TrainSpec(variant=SPEC),
        data="phantom",
        data_hash="0",
        train_patients=("P1", "P2"),
        validation_patients=("P3",),
        epoch=3,
        backend="tensorflow",
        versions={"edgeseg": "0"},
    )


def test_weights_and_header_come_back_as_written(tmp_path: Path, header: CheckpointHeader) -> None:
    model, other = build_model(SPEC, SMALL), build_model(SPEC, SMALL)
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    path = write_checkpoint(tmp_path / "weights.safetensors", header, arrays)
    read = read_checkpoint(tmp_path)
    assert read.header == header
    assert read.path == path
    assert list(read.arrays) == weight_names(model)
    load_weights(other, read, SPEC)
    for ours, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_of_another_variant_are_refused_with_what_to_ask_for(tmp_path: Path, header: CheckpointHeader) -> None:
    path = write_checkpoint(tmp_path / "w.safetensors", header, {"a": np.zeros(1, np.float32)})
    asked = VariantSpec(name="unet", alpha=0.0625, stem="full")
    with pytest.raises(CheckpointError, match=r"alphax-0.0625-half.*unet-0.0625.*--variant alphax --alpha 0.0625"):
        load_weights(build_model(asked, SMALL), read_checkpoint(path), asked)


def test_the_state_of_a_run_is_not_taken_for_weights(tmp_path: Path, header: CheckpointHeader) -> None:
    path = write_checkpoint(tmp_path / "s.safetensors", replace(header, kind="state"), {"a": np.zeros(1, np.float32)})
    with pytest.raises(CheckpointError, match=r"state of a training run.*weights\.safetensors"):
        check_weights(read_checkpoint(path), SPEC)


def test_a_newer_schema_is_refused(tmp_path: Path, header: CheckpointHeader) -> None:
    path = write_checkpoint(tmp_path / "w.safetensors", replace(header, schema_version=2), {})
    with pytest.raises(CheckpointError, match="schema version 2"):
        read_checkpoint(path)


def test_a_weight_of_another_shape_is_named(tmp_path: Path, header: CheckpointHeader) -> None:
    model = build_model(SPEC, SMALL)
    arrays = dict(zip(weight_names(model), model.get_weights(), strict=True))
    arrays["head/bias"] = np.zeros(7, np.float32)
    path = write_checkpoint(tmp_path / "w.safetensors", header, arrays)
    with pytest.raises(CheckpointError, match=r"'head/bias' should have shape \(1,\), found shape \(7,\)"):
        load_weights(model, read_checkpoint(path), SPEC)


@pytest.mark.parametrize(
    "damage", ["truncated", "not-safetensors", "empty", "no-header", "bad-header", "bad-option", "missing"]
)
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, header: CheckpointHeader, damage: str) -> None:
    from safetensors.numpy import save

    path = write_checkpoint(tmp_path / "w.safetensors", header, {"a": np.zeros(64, np.float32)})
    content = {
        "truncated": path.read_bytes()[:-100],
        "not-safetensors": b"\x80\x04pickle" * 10,
        "empty": b"",
        "no-header": save({"0000/a": np.zeros(1, np.float32)}),
        "bad-header": save({"0000/a": np.zeros(1, np.float32)}, metadata={"edgeseg": '{"kind": 1}'}),
        "bad-option": path.read_bytes().replace(b'\\"augment\\":\\"rich\\"', b'\\"augment\\":\\"RICH\\"'),
        "missing": None,
    }[damage]
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=str(path)):
        read_checkpoint(path)


FOREIGN = {
    "model.h5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "model.keras": (b"PK\x03\x04" + bytes(100), "a Keras model"),
    "model.pt": (b"PK\x03\x04" + bytes(100), "PyTorch"),
    "old.pt": (b"\x80\x02" + bytes(100), "a Python pickle"),
    "model.tflite": (b"\x1c\0\0\0TFL3" + bytes(100), "TFLite"),
    "model.ort": (b"\x1c\0\0\0ORTM" + bytes(100), "ORT format"),
    "model.onnx": (b"\x08\x08\x12\x07" + bytes(100), "ONNX"),
    "card.json": (b"{}", "JSON"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_file_of_another_kind_is_called_what_it_is(tmp_path: Path, name: str) -> None:
    content, kind = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{kind}.*'edgeseg train' and 'edgeseg compress' write") as caught:
        read_checkpoint(tmp_path / name)
    assert "damaged" not in str(caught.value)


def test_a_safetensors_file_of_somebody_else_is_called_that(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="a safetensors file that edgeseg did not write"):
        read_checkpoint(tmp_path / "other.safetensors")
