"""Which files a model consists of: an ONNX graph can keep its weights in other files beside it.

The graph is read without the `onnx` package: messages of protocol buffers, of which only the fields that lead to stored
tensors are followed, by their numbers in `onnx.proto`.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from pathlib import Path

from edgeseg.artifacts import sha256_file
from edgeseg.errors import ArtifactError

_ONNX = ".onnx"
_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _FUNCTION, _TENSOR, _SPARSE, _TRAINING = range(8)
_FOLLOWED = {
    _MODEL: {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
}
"""By kind of message: number of a field -> kind of the message in it."""
_EXTERNAL_DATA, _LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64

Span = tuple[int, int]


def model_files(path: Path) -> tuple[Path, ...]:
    """Return the files of a model, the named one first, those that hold its weights by name after it.

    Raises:
        ArtifactError: when a file of weights is missing, too short, or anything but a plain file beside the graph; or
            when the graph is damaged.
    """
    if path.suffix.lower() != _ONNX or not path.is_file() or path.stat().st_size == 0:
        return (path,)
    needed: dict[str, int] = {}
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for location, end in _external(data, (0, len(data)), _MODEL, 0):
                needed[location] = max(end, needed.get(location, 0))
    except (ValueError, IndexError) as error:
        raise ArtifactError(
            f"{path}: not a readable ONNX model ({error}); the file is damaged, cut short or of another format, so "
            "copy it again or build it again"
        ) from error
    return (path, *(_beside(path, location, needed[location]) for location in sorted(needed)))


def model_sha256(path: Path) -> str:
    """Return the SHA-256 of a model in hex: that of its file, or over those of all its files, each on a line.

    Raises:
        ArtifactError: as `model_files`.
    """
    digests = [sha256_file(one) for one in model_files(path)]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(f"{digest}\n" for digest in digests).encode()).hexdigest()


def model_size_bytes(path: Path) -> int:
    """Return the bytes of all files of a model.

    Raises:
        ArtifactError: as `model_files`.
    """
    return sum(one.stat().st_size for one in model_files(path))


def _beside(path: Path, location: str, end: int) -> Path:
    """Find a file of weights, which lies in the graph's folder or below it and is no link."""
    told = f"{path}: its weights are in '{location}'"
    if not location or "\0" in location or Path(location).is_absolute() or ".." in Path(location).parts:
        raise ArtifactError(f"{told}, which is not beside it; save the model anew with its weights in its own folder")
    place = path.parent
    for part in Path(location).parts:
        place /= part
        if place.is_symlink():
            raise ArtifactError(f"{told}, which is a link; put the file itself beside the model")
    if not place.is_file():
        raise ArtifactError(f"{told}, and there is no such file; copy it beside the model as well")
    size = place.stat().st_size
    if size < end:
        raise ArtifactError(f"{told}, which has {size} bytes of {end}; it is cut short, so copy it again")
    return place


def _external(data: mmap.mmap, span: Span, kind: int, depth: int) -> Iterator[tuple[str, int]]:
    """Find tensors that are kept elsewhere: where, and where they end there."""
    if depth > _DEEPEST:
        raise ValueError("graphs within graphs have no end")
    told: dict[str, str] = {}
    outside = False
    for number, wire, value in fields(data, span):
        if kind == _TENSOR:
            if number == _LOCATION and wire == _VARINT:
                outside = value[0] == 1
            elif number == _EXTERNAL_DATA and wire == _BYTES:
                key, text = _pair(data, value)
                told[key] = text
        elif wire == _BYTES and number in _FOLLOWED[kind]:
            yield from _external(data, value, _FOLLOWED[kind][number], depth + 1)
    if outside:
        yield told.get("location", ""), _number(told.get("offset", "0")) + _number(told.get("length", "0"))


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("a place of weights is no number")
    return int(text)


def _pair(data: mmap.mmap, span: Span) -> tuple[str, str]:
    texts = {number: data[value[0] : value[1]].decode() for number, wire, value in fields(data, span) if wire == _BYTES}
    return texts.get(1, ""), texts.get(2, "")


def fields(data: mmap.mmap, span: Span) -> Iterator[tuple[int, int, Span]]:
    """Give the fields of a message: number, wire type, and where its bytes are, or (value, value) of a whole number."""
    place, end = span
    while place < end:
        tag, place = _varint(data, place, end)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, place = _varint(data, place, end)
            yield number, wire, (value, value)
            continue
        if wire == _BYTES:
            length, place = _varint(data, place, end)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError("it is no protocol buffer")
        if length > end - place:
            raise ValueError("a field reaches beyond its end")
        yield number, wire, (place, place + length)
        place += length


def _varint(data: mmap.mmap, place: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while place < end and shift < 70:
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place
    raise ValueError("a number has no end")
