"""The bytes of a NIfTI file, unpacked once into a temporary file where they are packed, whatever its name says."""

from __future__ import annotations

import gzip
import io
import math
import zlib
from pathlib import Path
from typing import BinaryIO

from edgeseg.errors import DatasetError, one_line
from edgeseg.place import scratch_file, write_scratch
from edgeseg.regular import open_regular

MAX_VOXELS = 1 << 30
_MAX_SLICES = 100_000
_BLOCK, _GZIP = 1 << 20, b"\x1f\x8b"


def unpacked(path: Path) -> BinaryIO:
    """Open the file, unpacked where its first bytes say that it is packed, to the size that its header asks for.

    Raises:
        DatasetError: when it is damaged or cut short, or claims too many voxels.
        ScratchError: when it cannot be unpacked among the temporary files.
    """
    stream = open_regular(path)
    if stream.read(len(_GZIP)) != _GZIP:
        stream.seek(0)
        return stream
    stream.close()
    with open_regular(path) as packed, gzip.GzipFile(fileobj=packed) as source:
        target = scratch_file()
        try:
            block = source.read(_BLOCK)
            left = _expected_bytes(block, path) + _BLOCK
            while block and left > 0:
                write_scratch(target, block)
                left -= len(block)
                block = source.read(_BLOCK)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            target.close()
            raise DatasetError(
                f"{path}: cannot be unpacked ({one_line(error)}); the file is damaged or cut short; copy it again"
            ) from error
        except BaseException:
            target.close()
            raise
    target.seek(0)
    return target


def _expected_bytes(head: bytes, path: Path) -> int:
    from nibabel import Nifti1Header, Nifti2Header

    for kind in (Nifti1Header, Nifti2Header):
        if len(head) >= kind.sizeof_hdr and kind.may_contain_header(head[: kind.sizeof_hdr]):
            header = kind.from_fileobj(io.BytesIO(head), check=False)
            voxels = count_voxels(header.get_data_shape(), path)
            return int(header.get_data_offset()) + voxels * int(header.get_data_dtype().itemsize)
    return 0


def count_voxels(shape: tuple[int, ...], path: Path) -> int:
    """Count the voxels of a shape.

    Raises:
        DatasetError: when they are too many.
    """
    voxels = math.prod(int(side) for side in shape)
    if voxels > MAX_VOXELS or max(shape, default=0) > _MAX_SLICES:
        raise DatasetError(f"{path}: its header claims {voxels} voxels; at most {MAX_VOXELS} are read; crop it first")
    return voxels
