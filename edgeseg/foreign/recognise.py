"""What a file is, by what stands in it and not by its name, and whether a network can be read from it."""

from __future__ import annotations

import json
import zipfile
from enum import Enum
from pathlib import Path

from edgeseg.errors import ArtifactError, one_line

_ADVICE = "give a Keras model (.keras, .h5 or .hdf5 with its architecture, a SavedModel folder) or an ONNX model"
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in (2, 3, 4, 5))
_HEAD_BYTES = 4096


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
    return not (path.suffix.lower() == ".safetensors" or _is_safetensors(head))


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
        raise ArtifactError(f"{path} is a folder without a saved_model.pb, so it is no SavedModel; {_ADVICE}")
    if not path.is_file():
        raise ArtifactError(f"there is no file at {path}; {_ADVICE}")
    head = _head(path)
    if not head.strip(b"\0"):
        what = "empty" if not head else "filled with zeros"
        raise ArtifactError(f"{path} is {what}, as a copy that was cut off leaves it; copy it again")
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return Kind.HDF5
    if head.startswith(b"PK\x03\x04"):
        return _archive(path)
    if (refused := _other(head)) is not None:
        raise ArtifactError(f"{path} is {refused}")
    if _looks_like_onnx(head) or path.suffix.lower() == ".onnx":
        return Kind.ONNX
    raise ArtifactError(
        f"{path} is of no kind of file that edgeseg knows (it begins with {head[:8].hex(' ')}), or encrypted; {_ADVICE}"
    )


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
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
    if any(name.endswith("data.pkl") for name in names):
        raise ArtifactError(
            f"{path} is a file of PyTorch, a Python pickle that could run anything and is never read; {_FROM_TORCH}"
        )
    if names and all(name.endswith(".npy") for name in names):
        raise ArtifactError(f"{path} is a NumPy archive: arrays without a network; {_ADVICE}")
    raise ArtifactError(f"{path} is a ZIP archive and no Keras model; unpack it, and give the network that is in it")


_FROM_TORCH = "export the network with torch.onnx.export and give the .onnx file"


def _other(head: bytes) -> str | None:
    """Say what a file is that no network can be read from, and what to do; None where it is none of these."""
    if head[4:8] in (b"TFL3", b"ORTM"):
        name = "LiteRT (TFLite)" if head[4:8] == b"TFL3" else "ORT"
        return (
            f"a converted network in {name} format, which can be run and measured and not be rebuilt: edgeseg "
            "evaluate, bench, verify, run and inspect take it, with --contract where it carries none, and a build as "
            "--baseline; to build, give the file that it was converted from"
        )
    if head.startswith(_PICKLES):
        return f"a Python pickle, which could run anything and is never read; {_FROM_TORCH}"
    if head.startswith((b"GGUF", b"ggml", b"lmgg")):
        return f"a language model (GGUF); edgeseg compresses networks that segment images, so {_ADVICE}"
    if _is_safetensors(head):
        return f"a safetensors file: weights without their network; {_ADVICE}"
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!")) or head[257:262] == b"ustar":
        return "a packed archive; unpack it, and give the network that is in it"
    if head.startswith((b"-----BEGIN PGP", b"Salted__", b"age-encryption")):
        return "encrypted; decrypt it first"
    if head.lstrip()[:1] in (b"{", b"[", b"<") or head.startswith(b"version https://git-lfs"):
        return _text(head)
    return None


def _text(head: bytes) -> str:
    if head.startswith(b"version https://git-lfs"):
        return "the pointer that Git LFS leaves in a file's place; fetch the file itself with: git lfs pull"
    if head.lstrip()[:1] == b"<":
        return "a web page, as a download that needs a login leaves it; download the file itself"
    return f"JSON: the description of a network without its weights, or something else; {_ADVICE}"


def _is_safetensors(head: bytes) -> bool:
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40


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
