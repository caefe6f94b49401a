"""What a file is, by what stands in it and not by its name, and whether a network can be read from it."""

from __future__ import annotations

import contextlib
import json
import zipfile
from enum import Enum
from pathlib import Path

from edgeseg.errors import ArtifactError, MissingExtraError, one_line
from edgeseg.runtime.kinds import ADVICE, FROM_TORCH, HEAD_BYTES, is_safetensors, other
from edgeseg.runtime.litert_session import open_litert

_CONVERTED = (b"TFL3", b"ORTM")
_PICKLED = (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib")
_ONNX_TAGS = frozenset(b"\x08\x12\x1a\x22\x28\x32\x3a\x42\x72")
"""What the first byte of an ONNX file can be: the number and the type of a field of its model."""


class Kind(Enum):
    """A kind of file that a network can be read from; the value is what it is called."""

    KERAS = "a Keras model (.keras)"
    HDF5 = "a Keras model in HDF5"
    SAVED_MODEL = "a TensorFlow SavedModel"
    ONNX = "an ONNX model"


def is_foreign(path: Path) -> bool:
    """Whether a path holds something other than weights or runs of edgeseg's own; False where there is nothing.

    A file of another kind that no network can be read from counts too: `recognise` says what it is.
    """
    if path.is_dir():
        return _saved_model(path)
    if not path.is_file():
        return False
    head = _head(path)
    return not (path.suffix.lower() == ".safetensors" or is_safetensors(head))


def recognise(path: Path) -> Kind:
    """Say what kind of network a path holds.

    Args:
        path: a file, or the folder of a SavedModel.

    Raises:
        ArtifactError: when it is missing, empty, or of a kind that no network can be read from; says which and what
            to do.
    """
    if path.is_dir():
        if _saved_model(path):
            return Kind.SAVED_MODEL
        raise ArtifactError(f"{path} is a folder without a saved_model.pb, so it is no SavedModel; {ADVICE}")
    if not path.is_file():
        raise ArtifactError(f"there is no file at {path}; {ADVICE}")
    head = _head(path)
    if not head.strip(b"\0"):
        what = "empty" if not head else "filled with zeros"
        raise ArtifactError(f"{path} is {what}, as a copy that was cut off leaves it; copy it again")
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return Kind.HDF5
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if head[4:8] in _CONVERTED:
        raise _converted(path, head)
    return _onnx(path, head)


def _onnx(path: Path, head: bytes) -> Kind:
    """Take what looks like ONNX, and say what anything else is."""
    refused = _by_name(path) or other(head)
    if refused is not None:
        raise ArtifactError(f"{path} is {refused}")
    if _looks_like_onnx(head) or (path.suffix.lower() == ".onnx" and head[0] in _ONNX_TAGS):
        return Kind.ONNX
    if path.suffix.lower() in _PICKLED:
        raise ArtifactError(
            f"{path} is a Python pickle by its name, which could run anything and is never read; {FROM_TORCH}"
        )
    raise ArtifactError(
        f"{path} is of no kind of file that edgeseg knows (it begins with {head[:8].hex(' ')}), or encrypted; {ADVICE}"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise ArtifactError(
            f"cannot read {path}: {error.strerror or error}; check the path and its permissions"
        ) from error


def _saved_model(path: Path) -> bool:
    return (path / "saved_model.pb").is_file()


def _archive(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            locked = any(entry.flag_bits & 1 for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise ArtifactError(
            f"{path} begins as a ZIP archive and its end is missing or damaged ({one_line(error)}); it was cut off, so "
            "copy it again"
        ) from error
    if locked:
        raise ArtifactError(f"{path} is an archive with a password; unpack it, and give the network that is in it")
    if "config.json" in names and any(name.endswith(".weights.h5") for name in names):
        return Kind.KERAS
    if any(name.endswith("archive_format") for name in names) or path.suffix.lower() == ".pt2":
        raise ArtifactError(f"{path} is a program of torch.export, which only PyTorch reads; {FROM_TORCH}")
    if any(name.endswith("data.pkl") for name in names):
        raise ArtifactError(
            f"{path} is a file of PyTorch, a Python pickle that could run anything and is never read; {FROM_TORCH}"
        )
    if names and all(name.endswith(".npy") for name in names):
        raise ArtifactError(f"{path} is a NumPy archive: arrays without a network; {ADVICE}")
    raise ArtifactError(f"{path} is a ZIP archive and no Keras model; unpack it, and give the network that is in it")


def _converted(path: Path, head: bytes) -> ArtifactError:
    """Return the error for a file of a format that is run and not read, once it is known to be whole."""
    lite = head[4:8] == b"TFL3"
    if lite and path.suffix.lower() == ".tflite":
        with contextlib.suppress(MissingExtraError):
            open_litert(path, threads=1, delegates=False)
    name = "LiteRT (TFLite)" if lite else "ORT"
    return ArtifactError(
        f"{path} is a converted network in {name} format, which can be run and measured and not be rebuilt: edgeseg "
        "evaluate, bench, verify, run and inspect take it, with --contract where it carries none, and a build as "
        "--baseline; to build, give the file that it was converted from"
    )


def _by_name(path: Path) -> str | None:
    """Say what a file is by its name, where its first bytes could be those of ONNX as well."""
    suffix = path.suffix.lower()
    if path.name == "saved_model.pb":
        return f"the graph of a SavedModel without its weights; give the folder that it is in, {path.parent}"
    return "a network of Core ML; give the file that it was converted from" if suffix == ".mlmodel" else None


def _looks_like_onnx(head: bytes) -> bool:
    """An ONNX file is a protocol buffer whose first field is its version, 1 to 2 digits, and whose next is text."""
    return head[:1] == b"\x08" and len(head) > 3 and head[1] < 32 and head[2] in (0x12, 0x1A, 0x22, 0x3A, 0x42)


def keras_version(text: str) -> str:
    """Return the version of Keras that a `metadata.json` names, empty where it names none."""
    try:
        found = json.loads(text)
    except ValueError:
        return ""
    return str(found.get("keras_version", "")) if isinstance(found, dict) else ""
