"""NIfTI and zipped DICOM into a private folder, never more than was agreed on, under names of our own."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

from edgeseg.data.listing import is_passed_over
from edgeseg.errors import MissingExtraError, one_line
from edgeseg.service.refusal import BAD_REQUEST, TOO_LARGE, UNUSABLE, Refusal
from edgeseg.specs import ServeOptions

UNPACKED_TIMES = 16
"""How many times as large as the largest body unpacked files may be together."""
_GZIP, _BLOCK = b"\x1f\x8b", 1 << 20
_GZIP_WINDOW = 31
_ENDING = re.compile(r"\.[A-Za-z]{2,5}$")
_NIFTI1, _NIFTI2 = 348, 540


def place_nifti(data: bytes, path: Path, options: ServeOptions) -> Path:
    """Write one NIfTI file, unpacked where it is packed.

    Raises:
        Refusal: when it is no NIfTI, damaged, or larger than the service takes.
    """
    with path.open("wb") as target:
        if data.startswith(_GZIP):
            _gunzip(data, target, options.max_body_bytes * UNPACKED_TIMES, path.stem)
        else:
            target.write(data)
    with path.open("rb") as written:
        rows, columns, slices = _nifti_size(written.read(_NIFTI2), path.stem)
    _require_size(rows * columns, slices, options, f"'{path.stem}'")
    return path


def place_study(data: bytes, folder: Path, options: ServeOptions) -> Path:
    """Unpack a zip of DICOM files into `folder`, made anew.

    Of the names in the zip the endings alone are used.

    Raises:
        MissingExtraError: without pydicom.
        Refusal: when it is no zip, damaged, or larger than the service takes.
    """
    folder.mkdir(mode=0o700)
    left = options.max_body_bytes * UNPACKED_TIMES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            members = [member for member in packed.infolist() if not (member.is_dir() or _hidden(member.filename))]
            if len(members) > 4 * options.max_slices:
                raise Refusal(
                    TOO_LARGE, f"the zip holds {len(members)} files and at most {4 * options.max_slices} are taken"
                )
            for number, member in enumerate(members):
                path = folder / f"{number:05d}{_ending(member.filename)}"
                with packed.open(member) as source, path.open("wb") as target:
                    left -= _copy(source, target, left)
                _check_dicom(path, options)
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


def _copy(source: IO[bytes], target: IO[bytes], most: int) -> int:
    copied = 0
    while block := source.read(_BLOCK):
        copied += len(block)
        if copied > most:
            raise Refusal(TOO_LARGE, "unpacked, the zip is larger than this service takes; send fewer series at a time")
        target.write(block)
    return copied


def _check_dicom(path: Path, options: ServeOptions) -> None:
    """Refuse a picture whose pixels would fill memory; whatever cannot be read is left to the reader to name."""
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("pydicom", "dicom", "reading DICOM") from error
    try:
        head = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["Rows", "Columns", "NumberOfFrames"])
        pixels = int(head.get("Rows") or 0) * int(head.get("Columns") or 0)
        frames = int(head.get("NumberOfFrames") or 1)
    except Exception:
        return
    _require_size(pixels, frames, options, "a DICOM file")


def _gunzip(data: bytes, target: IO[bytes], most: int, name: str) -> None:
    unpacker, written, rest = zlib.decompressobj(_GZIP_WINDOW), 0, data
    try:
        while not unpacker.eof:
            block = unpacker.decompress(rest, _BLOCK)
            rest = unpacker.unconsumed_tail
            if not block and not rest and not unpacker.eof:
                raise Refusal(UNUSABLE, f"'{name}' is cut short; send it again")
            written += len(block)
            if written > most:
                raise Refusal(TOO_LARGE, f"unpacked, '{name}' is larger than the {most} bytes that this service takes")
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


def _require_size(pixels: int, slices: int, options: ServeOptions, what: str) -> None:
    """Bound a plane in any direction, and the number of slices, of which a volume may have some more than a request."""
    if pixels > options.max_pixels or slices > 4 * options.max_slices:
        raise Refusal(
            TOO_LARGE,
            f"{what} has {slices} slices of {pixels} pixels and this service takes {4 * options.max_slices} of "
            f"{options.max_pixels}; resample it first",
        )
