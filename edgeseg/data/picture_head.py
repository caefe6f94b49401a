"""Pictures before a decoder sees them: whether their parts are as many as a picture of one frame has.

Decoders keep the value of every tag and chunk, and several may point to one place in a file; and they follow a chain of
frames to its end before they say how many there are.
"""

from __future__ import annotations

import io
import struct
from typing import BinaryIO

from edgeseg.data.jpeg_head import jpeg_size
from edgeseg.errors import LimitError

MAX_TAGS, MAX_CHUNKS, MAX_JPEG_BYTES = 512, 20_000, 64 << 20
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_TIFF = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}
_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}


def frames_of(stream: BinaryIO, name: str) -> int | None:
    """Look at the head of a picture and leave the stream at its start.

    Args:
        stream: the file; can be sought in.
        name: for messages.

    Returns:
        1, or 2 for two or more frames, of a TIFF; None for others, which the decoder can tell.

    Raises:
        LimitError: when it has more parts than pictures have.
    """
    head = stream.read(8)
    size = stream.seek(0, io.SEEK_END)
    try:
        if head[:4] in _TIFF:
            return _tiff_frames(stream, size, name, *_TIFF[head[:4]])
        if head == _PNG:
            _count_chunks(stream, size, name)
        elif head.startswith(_JPEG):
            if size > MAX_JPEG_BYTES:
                raise LimitError(f"{name}: a JPEG of {size >> 20} MB; at most {MAX_JPEG_BYTES >> 20} are read")
            stream.seek(0)
            jpeg_size(stream.read(MAX_JPEG_BYTES), name)
        return None
    except struct.error:
        return None
    finally:
        stream.seek(0)


def _tiff_frames(stream: BinaryIO, size: int, name: str, order: str, big: bool) -> int:
    """Read the first directory: its tags may not hold more than the file does, and no other may follow."""
    offset, count, entry = (
        (f"{order}Q", f"{order}Q", f"{order}HHQ") if big else (f"{order}I", f"{order}H", f"{order}HHI")
    )
    stream.seek(8 if big else 4)
    stream.seek(_number(stream, offset))
    entries = _number(stream, count)
    if entries > MAX_TAGS:
        raise LimitError(f"{name}: a TIFF of {entries} tags; at most {MAX_TAGS} are read; save it anew")
    held = 0
    for _ in range(entries):
        _, kind, values = struct.unpack(entry, stream.read(struct.calcsize(entry)))
        stream.seek(struct.calcsize(offset), io.SEEK_CUR)
        held += values * _TYPE_BYTES.get(kind, 1)
    if held > size:
        raise LimitError(f"{name}: the tags of the TIFF hold {held} bytes, and the file has {size}; save it anew")
    return 2 if _number(stream, offset) else 1


def _number(stream: BinaryIO, kind: str) -> int:
    return int(struct.unpack(kind, stream.read(struct.calcsize(kind)))[0])


def _count_chunks(stream: BinaryIO, size: int, name: str) -> None:
    place, chunks = len(_PNG), 0
    while place + 8 <= size:
        chunks += 1
        if chunks > MAX_CHUNKS:
            raise LimitError(f"{name}: a PNG of more than {MAX_CHUNKS} chunks; save it anew")
        stream.seek(place)
        place += 12 + _number(stream, ">I")
