"""What a DICOM file is made of, found without building anything: how many elements, how deep, and packed how.

A reader makes objects of hundreds of bytes out of elements of eight, and follows sequences as deep as they go; so both
are counted before it is asked. Only the skeleton is looked at: damage is left to the reader to name.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from edgeseg.errors import LimitError
from edgeseg.regular import open_regular

MAX_ELEMENTS, MAX_ITEMS, MAX_DEPTH = 100_000, 20_000, 16
MAX_INFLATED_BYTES = 64 << 20
DEFLATED, _IMPLICIT, _BIG = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_PREAMBLE, _MAGIC = 128, b"DICM"
_BLOCK, _UNDEFINED = 1 << 20, 0xFFFFFFFF
_LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_META_GROUP, _SYNTAX, _PIXELS, _FLOAT_PIXELS = 0x0002, 0x00020010, 0x7FE00010, (0x7FE00008, 0x7FE00009)
_ITEM_BYTES = {"<": b"\xfe\xff\x00\xe0", ">": b"\xff\xfe\xe0\x00"}


class _Cut(Exception):  # noqa: N818 (it is an end, not a fault)
    """The file ends, or makes no sense from here on."""


@dataclass(slots=True, kw_only=True)
class Outline:
    """What was counted.

    Attributes:
        syntax: the transfer syntax that the file meta names; nothing where there is none.
        elements: of all levels, up to the pixels.
        items: of sequences, of all levels.
        inflated_bytes: how many a deflated data set has; 0 for others.
        pixels_at: where the value of the pixels begins; None where there are none, or they were deflated.
    """

    syntax: str = ""
    elements: int = 0
    items: int = 0
    inflated_bytes: int = 0
    pixels_at: int | None = None


def outline(path: Path) -> Outline:
    """Look at a file.

    Raises:
        LimitError: when it has too many elements or items, sequences too deep, or is too large once inflated.
        OSError: when it cannot be read.
    """
    with open_regular(path) as stream:
        found = Outline()
        walker = _Walker(stream=stream, found=found, name=str(path))
        start = stream.read(_PREAMBLE + len(_MAGIC))
        stream.seek(len(start) if start[_PREAMBLE:] == _MAGIC else 0)
        try:
            walker.meta()
            if found.syntax == DEFLATED:
                inflated = _inflated(stream, path)
                found.inflated_bytes = inflated.getbuffer().nbytes
                walker.stream = inflated
            walker.data_set(explicit=None if not found.syntax else found.syntax != _IMPLICIT)
        except _Cut:
            pass
        if found.syntax == DEFLATED:
            found.pixels_at = None
        return found


def _inflated(stream: BinaryIO, path: Path) -> io.BytesIO:
    unpacker, made = zlib.decompressobj(-zlib.MAX_WBITS), io.BytesIO()
    try:
        while not unpacker.eof and (block := unpacker.unconsumed_tail or stream.read(_BLOCK)):
            made.write(unpacker.decompress(block, _BLOCK))
            if made.tell() > MAX_INFLATED_BYTES:
                raise LimitError(
                    f"{path}: deflated, and more than {MAX_INFLATED_BYTES >> 20} MB once inflated, which is not read; "
                    "inflate it first (such as with gdcmconv --raw)"
                )
    except zlib.error as error:
        raise _Cut from error
    made.seek(0)
    return made


@dataclass(slots=True, kw_only=True)
class _Walker:
    """Goes from element to element of a stream."""

    stream: BinaryIO
    found: Outline
    name: str
    order: str = "<"
    explicit: bool = True
    _ends: list[int | None] = field(default_factory=list)

    def meta(self) -> None:
        """Read the file meta, which is explicit and little-endian, and find the syntax of what follows."""
        while True:
            place = self.stream.tell()
            head = self.stream.read(2)
            self.stream.seek(place)
            if len(head) < 2 or struct.unpack("<H", head)[0] != _META_GROUP:
                break
            tag, _, length = self._element()
            if tag == _SYNTAX:
                self.found.syntax = self._bytes(min(length, 64)).decode("latin-1").rstrip("\0 ")
                length -= min(length, 64)
            self._skip(length)
        self.order = ">" if self.found.syntax == _BIG else "<"

    def data_set(self, explicit: bool | None) -> None:
        """Count all that follows, up to the pixels."""
        if explicit is None:
            place = self.stream.tell()
            head = self.stream.read(6)
            self.stream.seek(place)
            explicit = head[4:6].isalpha() and head[4:6].isupper()
        self.explicit = explicit
        while True:
            while self._ends and self._ends[-1] is not None and self.stream.tell() >= self._ends[-1]:
                self._ends.pop()
            tag, vr, length = self._element()
            if tag in (_PIXELS, *_FLOAT_PIXELS) and not self._ends:
                self.found.pixels_at = self.stream.tell() if tag == _PIXELS else None
                return
            if tag in (_ITEM_END, _SEQUENCE_END):
                if self._ends and self._ends[-1] is None:
                    self._ends.pop()
            elif tag == _ITEM:
                self.found.items += 1
                self._enter(length)
            elif length == _UNDEFINED or vr == b"SQ" or (vr in (b"", b"UN") and self._holds_items(length)):
                self._enter(length)
            else:
                self._skip(length)
            self._require()

    def _enter(self, length: int) -> None:
        self._ends.append(None if length == _UNDEFINED else self.stream.tell() + length)

    def _holds_items(self, length: int) -> bool:
        if length < 8:
            return False
        head = self._bytes(4)
        self.stream.seek(-4, io.SEEK_CUR)
        return head == _ITEM_BYTES[self.order]

    def _require(self) -> None:
        found = self.found
        depth = len(self._ends) // 2
        if found.elements > MAX_ELEMENTS or found.items > MAX_ITEMS or depth > MAX_DEPTH:
            raise LimitError(
                f"{self.name}: more than {MAX_ELEMENTS} elements, {MAX_ITEMS} items or {MAX_DEPTH} levels of "
                "sequences, which no scanner writes; the file is damaged or hostile; export it again"
            )

    def _element(self) -> tuple[int, bytes, int]:
        """Read the head of an element: tag, kind of value where it is told, and length."""
        group, number = struct.unpack(f"{self.order}HH", self._bytes(4))
        tag = group << 16 | number
        self.found.elements += 1
        if group == _ITEM >> 16 or not (self.explicit or group == _META_GROUP):
            return tag, b"", struct.unpack(f"{self.order}I", self._bytes(4))[0]
        vr, short = struct.unpack(f"{self.order}2sH", self._bytes(4))
        if vr in _LONG_VRS:
            return tag, vr, struct.unpack(f"{self.order}I", self._bytes(4))[0]
        return tag, vr, short

    def _bytes(self, count: int) -> bytes:
        found = self.stream.read(count)
        if len(found) < count:
            raise _Cut
        return found

    def _skip(self, length: int) -> None:
        if length == _UNDEFINED:
            raise _Cut
        self.stream.seek(length, io.SEEK_CUR)
