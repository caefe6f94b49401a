"""NIfTI files that take more than they weigh."""

from __future__ import annotations

import gzip
import struct
import zlib


def nifti(*sides: int, data: bytes = b"", kind: int = 4, bits: int = 16) -> bytes:
    """A NIfTI-1 file with those sides, and whatever is behind it."""
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(sides), *sides, *[1] * (7 - len(sides)))
    struct.pack_into("<hh", head, 70, kind, bits)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 5, 0, 0, 0, 0)
    struct.pack_into("<ff", head, 108, 352, 1)
    struct.pack_into("<hh", head, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<f", head, 280 + 20 * row, 5 if row == 2 else 1)
    head[344:348] = b"n+1\0"
    return bytes(head) + data


def zeros(size: int, start: bytes) -> bytes:
    """Gzip of `start` and `size` zeros."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    made = packer.compress(start)
    for _ in range(size >> 20):
        made += packer.compress(bytes(1 << 20))
    return made + packer.flush()


def bomb(size: int = 560 << 20) -> bytes:
    return zeros(size, nifti(512, 512, 1024))


def dense(sides: tuple[int, int, int] = (1024, 1024, 80)) -> bytes:
    """A volume that is what it says, and packs a thousandfold."""
    return zeros(2 * sides[0] * sides[1] * sides[2], nifti(*sides))


def nested(times: int = 3) -> bytes:
    made = bytes(64 << 20)
    for _ in range(times):
        made = gzip.compress(made)
    return made


def members(count: int = 20_000) -> bytes:
    """Many gzip members, one after another."""
    return gzip.compress(nifti(64, 64, 20)) + gzip.compress(b"") * count


def lies(*sides: int) -> bytes:
    return nifti(*sides, data=bytes(64))
