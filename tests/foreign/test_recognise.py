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
