from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from edgeseg.errors import ArtifactError
from edgeseg.foreign.recognise import Kind, is_foreign, recognise


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (bytes(64), "filled with zeros"),
        (b"\x1c\0\0\0TFL3" + bytes(20), "run and measured and not be rebuilt"),
        (b"\x80\x04\x95" + bytes(20), "pickle.*torch.onnx.export"),
        (b"GGUF\x03\0\0\0", "language model"),
        (b"\x10\0\0\0\0\0\0\0{}" + bytes(20), "weights without their network"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x1f\x8b\x08" + bytes(20), "packed archive"),
        (b"Salted__" + bytes(20), "encrypted"),
        (b"PK\x03\x04" + bytes(20), "cut off"),
        (b"\x93NUMPY\x01\0", "NumPy array"),
        (b"\x0a\x3a\x0a\x01x\x12\x0bPlaceholder*\x12", "frozen graph.*tf2onnx.convert --graphdef"),
        (b'<?xml version="1.0"?><net name="x"/>', "OpenVINO"),
        (b"\xd3\x07\x99\x21" * 9, "no kind of file that edgeseg knows"),
    ],
)
def test_what_no_network_can_be_read_from_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "network.keras"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=message) as raised:
        recognise(path)
    assert "damaged" not in str(raised.value) or "cut off" in message


def test_a_kind_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(20))
    assert recognise(path) is Kind.HDF5
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", "")
    assert recognise(path) is Kind.KERAS


def test_folders_and_archives_of_other_things(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no SavedModel"):
        recognise(tmp_path)
    (tmp_path / "saved_model.pb").touch()
    assert recognise(tmp_path) is Kind.SAVED_MODEL
    torch = tmp_path / "net.pt"
    with zipfile.ZipFile(torch, "w") as archive:
        archive.writestr("net/data.pkl", b"")
    with pytest.raises(ArtifactError, match="PyTorch"):
        recognise(torch)


def test_runs_of_our_own_are_not_foreign(tmp_path: Path, tiny_checkpoint: Path) -> None:
    assert not is_foreign(tiny_checkpoint)
    assert not is_foreign(tiny_checkpoint.parent)
    assert not is_foreign(tmp_path / "missing.keras")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("saved_model.pb", b"\x08\x01\x12\x10abc", "give the folder that it is in"),
        ("net.mlmodel", b"\x08\x04\x12\x10abc", "Core ML"),
        ("net.pkl", b"(dp0\nVa\n", "pickle.*torch.onnx.export"),
        ("net.pth", b"}q\0X\x01\0\0\0", "pickle.*torch.onnx.export"),
        ("net.onnx", b"\x7fELF" + bytes(20), "no kind of file that edgeseg knows"),
        ("net.onnx", b"\x89PNG\r\n\x1a\n", "no kind of file that edgeseg knows"),
        ("net.tflite", b"\x1c\0\0\0TFL3" + bytes(20), "cannot load it"),
        ("net.onnx", b"\x1c\0\0\0TFL3" + bytes(20), "not be rebuilt.*--contract where it carries none"),
    ],
)
def test_some_files_are_told_by_their_names_too(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ArtifactError, match=message):
        recognise(tmp_path / name)


def test_what_is_onnx_by_content_is_taken_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(b"\x08\x08\x12\x04test")
    assert recognise(path) is Kind.ONNX


def test_a_program_of_torch_export_is_not_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/archive_format", "pt2")
    with pytest.raises(ArtifactError, match=r"torch\.onnx\.export"):
        recognise(path)
