"""Pictures that take more than they weigh."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows: int, columns: int, *, more: bytes = b"", pixels: bytes | None = None) -> bytes:
    """A black PNG of any size in few bytes; `more` are chunks before its pixels."""
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    packer, packed = zlib.compressobj(9), b""
    if pixels is None:
        for _ in range(rows):
            packed += packer.compress(bytes(1 + 3 * columns))
        packed += packer.flush()
    else:
        packed = zlib.compress(pixels)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + more + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def png_text_bomb() -> bytes:
    text = zlib.compress(bytes(1 << 20), 9)
    return png(16, 24, more=b"".join(_chunk(b"zTXt", b"a%d\0\0" % number + text) for number in range(2000)))


def png_many_chunks() -> bytes:
    return png(16, 24, more=_chunk(b"prVt", b"") * 600_000)


def png_animated() -> bytes:
    return png(16, 24, more=_chunk(b"acTL", struct.pack(">II", 0x7FFFFFFF, 0)))


def tiff(tags: list[tuple[int, int, int, int]], *, data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF with one directory at 8 and `data` behind it."""
    made = b"II*\0" + struct.pack("<IH", 8, len(tags))
    made += b"".join(struct.pack("<HHII", *tag) for tag in tags) + struct.pack("<I", following)
    return made + data


def tiff_many_frames(frames: int = 180_000) -> bytes:
    """Directories of one tag, one after another."""
    made = bytearray(b"II*\0" + struct.pack("<I", 8))
    for number in range(frames):
        following = 8 + 18 * (number + 1) if number + 1 < frames else 0
        made += struct.pack("<HHHIII", 1, 256, 4, 1, 24, following)
    return bytes(made)


def tiff_good_then_many_frames() -> bytes:
    """A good first frame, and behind it directories in a long chain."""
    first = io.BytesIO()
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(first, "TIFF")
    made = bytearray(first.getvalue())
    made += b"\0" * (len(made) % 2)
    at = struct.unpack_from("<I", made, 4)[0]
    link = at + 2 + 12 * struct.unpack_from("<H", made, at)[0]
    for _ in range(140_000):
        place = len(made)
        struct.pack_into("<I", made, link, place)
        made += struct.pack("<HHHIII", 1, 254, 4, 1, 0, 0)
        link = place + 14
    return bytes(made)


def tiff_frames_in_a_circle() -> bytes:
    return tiff([(256, 4, 1, 24), (257, 4, 1, 16)], following=8)


def tiff_tags_share_their_value(size: int = 2_400_000) -> bytes:
    """Thousands of tags, each of which holds the same megabytes."""
    tags = [(1000 + number, 7, size, 60_000) for number in range(4000)]
    return tiff(tags, data=bytes(60_000 + size - 48_014))


def tiff_packed(compression: str, side: int = 4096) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (side, side)).save(packed, "TIFF", compression=compression)
    return packed.getvalue()


def tiff_lies(rows: int = 60_000) -> bytes:
    tags = [(256, 4, 1, rows), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    return tiff([*tags, (277, 3, 1, 1), (278, 4, 1, rows), (279, 4, 1, 0xFFFFFFF0)])


def jpeg(side: int = 2000, *, progressive: bool = False) -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (side, side), (40, 90, 60)).save(packed, "JPEG", progressive=progressive)
    return packed.getvalue()


def jpeg_many_scans(scans: int = 2000) -> bytes:
    """A progressive JPEG whose last scan stands there again and again."""
    content = jpeg(2000, progressive=True)
    last = content.rfind(b"\xff\xda")
    return content[:-2] + content[last:-2] * scans + b"\xff\xd9"


def jpeg_lies() -> bytes:
    content = bytearray(jpeg(16))
    place = content.find(b"\xff\xc0")
    struct.pack_into(">HH", content, place + 5, 60_000, 60_000)
    return bytes(content)


def jpeg_segments() -> bytes:
    content = jpeg(16)
    return content[:2] + (b"\xff\xe5\x00\x02" * 500_000) + content[2:]
