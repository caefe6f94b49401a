"""The head of a JPEG file or frame, JPEG-LS and lossless ones too: its size, and whether decoding it has an end."""

from __future__ import annotations

import re
import struct

from edgeseg.errors import LimitError

MAX_SCANS, MAX_SEGMENTS = 64, 4096
_FRAMES = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7))
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
"""Those with a length behind them, and the end; what is less stands between coded bits."""
_SCAN, _END = 0xDA, 0xD9


def jpeg_size(content: bytes, name: str) -> tuple[int, int] | None:
    """Read rows and columns; None where there are none.

    Args:
        content: from `FF D8` on.
        name: for messages.

    Raises:
        LimitError: when there are more scans than an encoder makes (each is a pass over the whole picture), more
            segments, or pictures of two sizes.
    """
    size, place, scans, segments = None, 2, 0, 0
    while (marker := _MARKER.search(content, place)) is not None:
        kind, place = content[marker.end() - 1], marker.end()
        if kind == _END:
            break
        segments += 1
        scans += kind == _SCAN
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise LimitError(
                f"{name}: a JPEG of more than {MAX_SCANS} scans or {MAX_SEGMENTS} segments, which no encoder writes; "
                "the file is damaged or hostile; save it anew"
            )
        if kind in _FRAMES and place + 7 <= len(content):
            found = struct.unpack_from(">HH", content, place + 3)
            if size is not None and size != found:
                raise LimitError(f"{name}: a JPEG that holds pictures of two sizes; save it anew")
            size = found
        place += _length(content, place)
    return size


def _length(content: bytes, place: int) -> int:
    return int(struct.unpack_from(">H", content, place)[0]) if place + 2 <= len(content) else 0
