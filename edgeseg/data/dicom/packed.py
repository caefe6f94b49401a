"""Compressed frames, before they are decoded: whether what is in them has the size that the header says."""

from __future__ import annotations

import struct
from typing import Any

from edgeseg.data.jpeg_head import jpeg_size
from edgeseg.errors import LimitError

_RLE = "1.2.840.10008.1.2.5"
_J2K, _J2K_BOX, _SIZ = b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP", struct.Struct(">4I")
_JPEG = b"\xff\xd8"
_RLE_HEAD, _MOST_SEGMENTS, _SLACK = struct.Struct("<16I"), 15, 256


def require_size(frame: bytes, header: Any, name: str) -> None:
    """Refuse a frame that would become another picture than its header says.

    Args:
        frame: as it stands in the file, compressed.
        header: with Rows, Columns, BitsAllocated, SamplesPerPixel and the transfer syntax.
        name: of the file, for messages.

    Raises:
        LimitError: when it would.
    """
    rows, columns = int(header.Rows), int(header.Columns)
    if header.file_meta.TransferSyntaxUID == _RLE:
        per_pixel = int(header.get("SamplesPerPixel") or 1) * max(1, int(header.BitsAllocated) // 8)
        _require_rle(frame, rows * columns, per_pixel, name)
        return
    size = _size(frame, name)
    if size is not None and size != (rows, columns):
        raise LimitError(
            f"{name}: its pixels are a picture of {size[0]} x {size[1]}, and its header says {rows} x {columns}; the "
            "file is damaged or hostile; export it again"
        )


def _size(frame: bytes, name: str) -> tuple[int, int] | None:
    """Read rows and columns from a frame's own header; None where it is of no known kind."""
    if frame.startswith(_JPEG):
        return jpeg_size(frame, name)
    start = frame.find(_J2K, 0, 1 << 12) if frame.startswith(_J2K_BOX) else 0
    if start >= 0 and frame[start : start + 4] == _J2K and len(frame) >= start + 24:
        right, bottom, left, top = _SIZ.unpack_from(frame, start + 8)
        return bottom - top, right - left
    return None


def _require_rle(frame: bytes, pixels: int, segments: int, name: str) -> None:
    """Add up what the runs of each segment become."""
    if len(frame) < _RLE_HEAD.size:
        return
    count, *places = _RLE_HEAD.unpack_from(frame)
    if count > _MOST_SEGMENTS or count != segments:
        raise LimitError(f"{name}: its RLE has {count} segments, and its header asks for {segments}; export it again")
    ends = [*places[1:count], len(frame)]
    for start, end in zip(places[:count], ends, strict=True):
        if _unpacked(frame, start, end, pixels + _SLACK) > pixels + _SLACK:
            raise LimitError(
                f"{name}: its RLE unpacks to more than the {pixels} pixels that its header says; the file is damaged "
                "or hostile; export it again"
            )


def _unpacked(frame: bytes, place: int, end: int, most: int) -> int:
    """Count the bytes that PackBits become, until they are too many."""
    size = 0
    while place < end and size <= most:
        run = frame[place]
        if run < 128:
            size, place = size + run + 1, place + run + 2
        else:
            size, place = size + (257 - run if run > 128 else 0), place + (2 if run > 128 else 1)
    return size
