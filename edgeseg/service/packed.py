"""NIfTI and zipped DICOM into a private folder, never more than was agreed on, under names of our own."""

from __future__ import annotations

import io
import re
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import IO

from edgeseg.data.dicom.header import read_header
from edgeseg.data.dicom.outline import outline
from edgeseg.data.listing import is_passed_over
from edgeseg.errors import LimitError, MissingExtraError, one_line
from edgeseg.service.refusal import BAD_REQUEST, TOO_LARGE, UNUSABLE, Refusal
from edgeseg.specs import Bounds

_GZIP, _BLOCK, _ENTRY = b"\x1f\x8b", 1 << 20, b"PK\x01\x02"
_GZIP_WINDOW = 31
_ENDING = re.compile(r"\.[A-Za-z]{2,5}$")
_NIFTI1, _NIFTI2 = 348, 540


class Budget:
    """What the files of one request may come to, unpacked, whatever they are packed in, and until when."""

    def __init__(self, bounds: Bounds) -> None:
        """Start the clock."""
        self._left, self._most = bounds.unpacked_bytes, bounds.unpacked_bytes
        self._end = time.monotonic() + bounds.seconds

    def take(self, size: int) -> None:
        """Count bytes that were unpacked.

        Raises:
            Refusal: when they are too many, or the time is over.
        """
        self._left -= size
        if self._left < 0:
            raise Refusal(
                TOO_LARGE,
                f"unpacked, it is larger than the {self._most} bytes that this service takes; send fewer series at a "
                "time",
            )
        if time.monotonic() > self._end:
            raise Refusal(TOO_LARGE, "unpacking it took too long; send fewer series at a time")


def place_nifti(data: bytes, path: Path, bounds: Bounds, budget: Budget) -> Path:
    """Write one NIfTI file, unpacked where it is packed.

    Raises:
        Refusal: when it is no NIfTI, damaged, or larger than the service takes.
    """
    with path.open("wb") as target:
        if data.startswith(_GZIP):
            _gunzip(data, target, budget, path.stem)
        else:
            budget.take(len(data))
            target.write(data)
    with path.open("rb") as written:
        rows, columns, slices = _nifti_size(written.read(_NIFTI2), path.stem)
    _require_size(rows * columns, slices, bounds, f"'{path.stem}'")
    return path


def place_study(data: bytes, folder: Path, bounds: Bounds, budget: Budget) -> Path:
    """Unpack a zip of DICOM files into `folder`, made anew.

    Of the names in the zip the endings alone are used.

    Raises:
        MissingExtraError: without pydicom.
        Refusal: when it is no zip, damaged, or larger than the service takes.
    """
    folder.mkdir(mode=0o700)
    _require_entries(data, 8 * bounds.max_slices)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = [member for member in packed.infolist() if not (member.is_dir() or _hidden(member.filename))]
            if len(members) > 4 * bounds.max_slices:
                raise _too_many(len(members), 4 * bounds.max_slices)
            for number, member in enumerate(members):
                path = folder / f"{number:05d}{_ending(member.filename)}"
                with packed.open(member) as source, path.open("wb") as target:
                    _copy(source, target, budget)
                _check_dicom(path, bounds, budget)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise Refusal(
            BAD_REQUEST, f"'dicom' cannot be unpacked ({one_line(error)}); send one zip without a password"
        ) from error
    return folder


def _hidden(name: str) -> bool:
    """Whether a member is hidden, or left by an archiver, as `__MACOSX/._1.dcm`; `..` hides nothing."""
    return any(is_passed_over(part) and part not in (".", "..") for part in name.split("/"))


def _ending(name: str) -> str:
    """Give the ending of a member's name where it is one of letters: it tells notes and pictures from damage."""
    found = _ENDING.search(name)
    return found[0].lower() if found else ""


def _require_entries(data: bytes, most: int) -> None:
    """Refuse a zip with more entries than it may have before each becomes an object.

    The number at its end may be a lie, but each entry has a signature, and the list cannot be shorter than those.
    """
    count = data.count(_ENTRY)
    if count > most:
        raise _too_many(count, most)


def _too_many(files: int, most: int) -> Refusal:
    return Refusal(TOO_LARGE, f"the zip holds {files} files and at most {most} are taken")


def _copy(source: IO[bytes], target: IO[bytes], budget: Budget) -> None:
    while block := source.read(_BLOCK):
        budget.take(len(block))
        target.write(block)


def _check_dicom(path: Path, bounds: Bounds, budget: Budget) -> None:
    """Refuse a picture whose pixels would fill memory; whatever cannot be read is left to the reader to name."""
    try:
        structure = outline(path)
        budget.take(structure.inflated_bytes)
        head = read_header(path, ["Rows", "Columns", "NumberOfFrames"])
        pixels = int(head.get("Rows") or 0) * int(head.get("Columns") or 0)
        frames = int(head.get("NumberOfFrames") or 1)
    except (Refusal, LimitError, MissingExtraError):
        raise
    except Exception:
        return
    _require_size(pixels, frames, bounds, "a DICOM file")


def _gunzip(data: bytes, target: IO[bytes], budget: Budget, name: str) -> None:
    unpacker, rest = zlib.decompressobj(_GZIP_WINDOW), data
    try:
        while not unpacker.eof:
            block = unpacker.decompress(rest, _BLOCK)
            rest = unpacker.unconsumed_tail
            if not block and not rest and not unpacker.eof:
                raise Refusal(UNUSABLE, f"'{name}' is cut short; send it again")
            budget.take(len(block))
            target.write(block)
    except zlib.error as error:
        raise Refusal(UNUSABLE, f"'{name}' cannot be unpacked ({one_line(error)}); send it again") from error


def _nifti_size(head: bytes, name: str) -> tuple[int, int, int]:
    """Read the three sizes of a volume from its header."""
    for order in "<>":
        if len(head) >= _NIFTI1 and struct.unpack_from(f"{order}i", head)[0] == _NIFTI1:
            return struct.unpack_from(f"{order}3h", head, 42)
        if len(head) >= _NIFTI2 and struct.unpack_from(f"{order}i", head)[0] == _NIFTI2:
            return struct.unpack_from(f"{order}3q", head, 24)
    raise Refusal(UNUSABLE, f"'{name}' is no NIfTI file; send .nii or .nii.gz")


def too_many_pixels(bounds: Bounds) -> Refusal:
    """Refuse a request whose slices have too many pixels together."""
    return Refusal(
        TOO_LARGE, f"its slices have more than {bounds.all_pixels} pixels together; resample them, or send fewer"
    )


def _require_size(pixels: int, slices: int, bounds: Bounds, what: str) -> None:
    """Bound a plane in any direction, and the number of slices, of which a volume may have some more than a request."""
    if pixels * slices > bounds.all_pixels:
        raise too_many_pixels(bounds)
    if pixels > bounds.max_pixels or slices > 4 * bounds.max_slices:
        raise Refusal(
            TOO_LARGE,
            f"{what} has {slices} slices of {pixels} pixels and this service takes {4 * bounds.max_slices} of "
            f"{bounds.max_pixels}; resample it first",
        )
