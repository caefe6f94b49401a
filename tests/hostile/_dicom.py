"""DICOM files that take more than they weigh, written byte by byte."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED, RLE = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
J2K, JPEG_LS, JPEG = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.50"
_LONG = ("OB", "OW", "SQ", "UN", "UT")
_ENDLESS = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HHI", 0xFFFE, number, 0) for number in (0xE000, 0xE00D, 0xE0DD))
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, _ENDLESS)


def element(group: int, number: int, vr: str, value: bytes, *, length: int | None = None) -> bytes:
    value += b"\0" * (len(value) % 2)
    size = len(value) if length is None else length
    if vr in _LONG:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), size) + value


def meta(syntax: str) -> bytes:
    inner = element(2, 2, "UI", b"1.2.840.10008.5.1.4.1.1.4") + element(2, 3, "UI", b"1.2.3")
    inner += element(2, 0x10, "UI", syntax.encode())
    return bytes(128) + b"DICM" + element(2, 0, "UL", struct.pack("<I", len(inner))) + inner


def head(rows: int = 16, columns: int = 24, *, number: int = 1, frames: int | None = None, more: bytes = b"") -> bytes:
    """All elements up to the pixels, explicit and little-endian; `more` stand in group 9."""
    made = element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.4") + element(8, 0x18, "UI", b"1.2.3.%d" % number)
    made += element(8, 0x60, "CS", b"MR") + element(8, 0x103E, "LO", b"FLAIR") + more
    made += element(0x10, 0x20, "LO", b"p") + element(0x18, 0x50, "DS", b"5")
    made += element(0x20, 0xD, "UI", b"1.2.4") + element(0x20, 0xE, "UI", b"1.2.5")
    made += element(0x20, 0x32, "DS", b"0\\0\\%d" % (5 * number)) + element(0x20, 0x37, "DS", b"1\\0\\0\\0\\1\\0")
    made += element(0x28, 2, "US", struct.pack("<H", 1)) + element(0x28, 4, "CS", b"MONOCHROME2")
    if frames is not None:
        made += element(0x28, 8, "IS", b"%d" % frames)
    made += element(0x28, 0x10, "US", struct.pack("<H", rows)) + element(0x28, 0x11, "US", struct.pack("<H", columns))
    made += element(0x28, 0x30, "DS", b"1\\1")
    for tag, value in ((0x100, 16), (0x101, 16), (0x102, 15), (0x103, 0)):
        made += element(0x28, tag, "US", struct.pack("<H", value))
    return made


def native(rows: int = 16, columns: int = 24, *, number: int = 1, more: bytes = b"") -> bytes:
    pixels = element(0x7FE0, 0x10, "OW", bytes(range(256)) * (2 * rows * columns // 256 + 1))
    return meta(EXPLICIT) + head(rows, columns, number=number, more=more) + pixels


def packed(syntax: str, *frames: bytes, rows: int = 16, columns: int = 24, count: int | None = None) -> bytes:
    """A file of compressed frames, each one fragment."""
    body = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, _ENDLESS) + ITEM
    for frame in frames:
        frame += b"\0" * (len(frame) % 2)
        body += struct.pack("<HHI", 0xFFFE, 0xE000, len(frame)) + frame
    return meta(syntax) + head(rows, columns, frames=count) + body + SEQUENCE_END


def deflated(size: int, *, rows: int = 16, columns: int = 24) -> bytes:
    """A small file that inflates to `size` bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    made = packer.compress(head(rows, columns) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, size))
    for _ in range(size >> 20):
        made += packer.compress(bytes(1 << 20))
    return meta(DEFLATED) + made + packer.flush()


def deep_sequence(levels: int = 20_000) -> bytes:
    start = struct.pack("<HH2sHI", 9, 0x1001, b"SQ", 0, _ENDLESS) + OPEN_ITEM
    return meta(EXPLICIT) + head(more=start * levels)


def many_items(items: int = 400_000) -> bytes:
    return native(more=element(9, 0x1001, "SQ", ITEM * items))


def many_items_of_known_sequence(items: int = 1_000_000) -> bytes:
    body = meta(EXPLICIT) + head(frames=2)
    return body + element(0x5200, 0x9230, "SQ", ITEM * items) + element(0x7FE0, 0x10, "OW", bytes(4))


def many_elements(elements: int = 400_000) -> bytes:
    made = b"".join(struct.pack("<HH2sH", 9 + 2 * (n >> 16), n & 0xFFFF, b"LO", 0) for n in range(elements // 8))
    return native(more=made * 8)


def endless_text() -> bytes:
    return native(more=element(8, 0x1030, "LO", b"\\" * 60_000) + element(9, 0x1002, "UT", b"\\" * 4_000_000))


def rle(pixels: int) -> bytes:
    """Two segments, the first of which becomes far more than any frame."""
    bomb = b"\x81\x00" * (pixels // 128)
    return struct.pack("<16I", 2, 64, 64 + len(bomb), *[0] * 13) + bomb + b"\x81\x00" * 3


def jpeg_ls(rows: int, columns: int) -> bytes:
    start = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB3B", 11, 16, rows, columns, 1, 1, 0x11, 0)
    return start + b"\xff\xda" + struct.pack(">HB2B3B", 8, 1, 1, 0, 0, 0, 0) + bytes(64) + b"\xff\xd9"


def j2k(rows: int, columns: int) -> bytes:
    size = struct.pack(">HIIIIIIIIHBBB", 0, columns, rows, 0, 0, columns, rows, 0, 0, 1, 15, 1, 1)
    made = b"\xff\x4f\xff\x51" + struct.pack(">H", len(size) + 2) + size
    made += b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 5, 4, 4, 0, 1)
    made += b"\xff\x5c" + struct.pack(">HB", 19, 0x40) + bytes(16)
    return made + b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 0, 0, 1) + b"\xff\x93" + bytes(64) + b"\xff\xd9"


def zipped(*files: bytes, level: int = 9) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as target:
        for number, content in enumerate(files):
            target.writestr(f"{number}.dcm", content)
    return made.getvalue()


def zip_of_many(entries: int = 300_000) -> bytes:
    """A zip whose list names one empty member again and again."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr("a", b"")
    content = made.getvalue()
    at = content.find(b"PK\x01\x02")
    entry, end = content[at : content.find(b"PK\x05\x06")], bytearray(content[content.find(b"PK\x05\x06") :])
    struct.pack_into("<HHI", end, 8, 0xFFFF, 0xFFFF, len(entry) * entries)
    return content[:at] + entry * entries + bytes(end)
