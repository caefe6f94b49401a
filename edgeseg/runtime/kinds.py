"""What a file is that no network can be read from, by its first bytes, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

HEAD_BYTES = 4096
ADVICE = "give a Keras model (.keras, .h5 or .hdf5 with its architecture, a SavedModel folder) or an ONNX model"
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in (2, 3, 4, 5))
_GRAPH_NODE = re.compile(rb"\x0a.{1,3}\x0a.[\w./-]+\x12.[A-Z]\w+", re.DOTALL)
"""The first node of a TensorFlow graph: its name, and its operation."""
_FROM_FROZEN = (
    "convert it with: python -m tf2onnx.convert --graphdef FILE --inputs IMAGE:0 --outputs MASK:0 --output x.onnx"
)
FROM_TORCH = "export the network with torch.onnx.export and give the .onnx file"


_STRANGERS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes it; make a model of it with: edgeseg build --from"),
    (b"PK\x03\x04", "a ZIP archive, as Keras (.keras) and PyTorch (.pt) write; make a model of a Keras network with: "
     "edgeseg build --from, and export one of PyTorch with torch.onnx.export"),
)  # fmt: skip


def stranger(path: Path, suffix: str) -> str | None:
    """Say what a file that is called `.onnx`, `.ort` or `.tflite` is, where it is known to be something else.

    Raises:
        OSError: when it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip(b"\0"):
        what = "empty" if not head else "filled with zeros"
        return f"is {what}, as a copy that was cut off leaves it; copy it again"
    mark = {b"TFL3": ".tflite", b"ORTM": ".ort"}.get(head[4:8])
    if mark is not None:
        return None if mark == suffix else f"is a {mark} model by its content; name it so"
    for start, told in _STRANGERS:
        if head.startswith(start):
            return f"is {told}"
    refused = other(head)
    return None if refused is None else f"is {refused}"


def other(head: bytes) -> str | None:
    """Say what a file is that no network can be read from, and what to do; None where it is none of these."""
    if head.startswith(_PICKLES):
        return f"a Python pickle, which could run anything and is never read; {FROM_TORCH}"
    if head.startswith((b"GGUF", b"ggml", b"lmgg")):
        return f"a language model (GGUF); edgeseg compresses networks that segment images, so {ADVICE}"
    if is_safetensors(head):
        return f"a safetensors file: weights without their network; {ADVICE}"
    if head.startswith(b"\x93NUMPY"):
        return f"a NumPy array without a network; {ADVICE}"
    if head[:1] == b"\x0a" and _GRAPH_NODE.match(head):
        return f"a frozen graph of TensorFlow 1, whose ends it does not name; {_FROM_FROZEN}"
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
    if head.lstrip().startswith(b"<?xml") and b"<net" in head:
        return "a network of OpenVINO; give the file that it was converted from"
    if head.lstrip()[:1] == b"<":
        return "a web page, as a download that needs a login leaves it; download the file itself"
    return f"JSON: the description of a network without its weights, or something else; {ADVICE}"


def is_safetensors(head: bytes) -> bool:
    """Whether a file begins as safetensors do: the length of their JSON, and that."""
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 1 << 40
