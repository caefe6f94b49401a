"""Which files are DICOM, and which frames of which series they hold; nothing here decodes pixels.

What pydicom says against a file may quote what stands in it, a patient's name included; so messages carry the kind of
its error alone.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.data.listing import natural_key
from edgeseg.errors import DatasetError, MissingExtraError

MAX_SIDE_PX, MAX_FRAMES = 8192, 100_000
_MAGIC, _MAGIC_OFFSET = b"DICM", 128
_TAGS = [
    "BitsAllocated", "ContrastBolusAgent", "FrameOfReferenceUID", "ImageOrientationPatient", "ImagePositionPatient",
    "Modality", "NumberOfFrames", "PatientID", "PatientName", "PerFrameFunctionalGroupsSequence",
    "PhotometricInterpretation", "PixelSpacing", "RescaleIntercept", "RescaleSlope", "Rows", "Columns",
    "SamplesPerPixel", "SeriesDescription", "SeriesInstanceUID", "SharedFunctionalGroupsSequence", "SliceThickness",
    "SpacingBetweenSlices", "StudyInstanceUID", "SOPClassUID", "SOPInstanceUID",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One slice in a DICOM file; distances in mm, directions and positions in LPS."""

    path: Path
    number: int
    position: tuple[float, ...]
    orientation: tuple[float, ...]
    pixel_mm: tuple[float, float]
    thickness_mm: float
    rows: int
    columns: int
    slope: float
    intercept: float
    inverted: bool


@dataclass(slots=True, kw_only=True)
class SeriesFiles:
    """One series; `patient` and `study` are hashes."""

    description: str
    modality: str
    contrast: bool
    patient: str
    study: str
    frame_of_reference: str
    paths: list[Path]
    headers: list[Any]


def holds_dicom(path: Path) -> bool:
    """Whether a path is a DICOM file, or a folder with one in it or below."""
    return next(_files(path), None) is not None


def list_series(path: Path, salt: str) -> tuple[SeriesFiles, ...]:
    """Read the headers of all DICOM images in a folder and below, and sort them by series.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when there are none, or one cannot be read.
    """
    found: dict[str, SeriesFiles] = {}
    for file in sorted(_files(path), key=lambda file: natural_key(str(file))):
        header = read_header(file, _TAGS)
        if header.get("Rows") is None or not header.get("SeriesInstanceUID"):
            continue
        key = _hash(salt, header.SeriesInstanceUID)
        if key not in found:
            found[key] = SeriesFiles(
                description=" ".join(str(header.get("SeriesDescription") or "").split())[:64],
                modality=str(header.get("Modality") or "unknown"),
                contrast=bool(header.get("ContrastBolusAgent")),
                patient=_hash(salt, header.get("PatientID"), header.get("PatientName")),
                study=_hash(salt, header.get("PatientID"), header.get("StudyInstanceUID")),
                frame_of_reference=_hash(salt, header.get("FrameOfReferenceUID")),
                paths=[],
                headers=[],
            )
        found[key].paths.append(file)
        found[key].headers.append(header)
    if not found:
        raise DatasetError(f"{path}: the folder holds no DICOM images; name the folder of a study or of a series")
    return tuple(found.values())


def read_header(path: Path, tags: list[str] | None = None) -> Any:
    """Read a file without its pixels; all of its header where no tags are named.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when the file cannot be read.
    """
    try:
        import pydicom
    except ImportError as error:
        raise MissingExtraError("pydicom", "dicom", "reading DICOM") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=tags)
            for element in header:
                _ = element.value
            return header
    except Exception as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> DatasetError:
    """Make the error for a file that pydicom cannot read, without quoting it."""
    return DatasetError(
        f"{path}: cannot be read as DICOM ({type(error).__name__}); the file is damaged, cut short or compressed in a "
        "way that is not supported; copy it again, or decompress it first (such as with gdcmconv --raw)"
    )


def frames_of(series: SeriesFiles, source: str) -> list[Frame]:
    """List the frames of a series in the order of its files.

    Raises:
        DatasetError: when a header lacks what a slice needs, or holds something impossible.
    """
    frames = []
    for path, header in zip(series.paths, series.headers, strict=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = [_frame(path, header, number) for number in range(_count(header))]
        except DatasetError:
            raise
        except Exception as error:
            raise DatasetError(
                f"{path}: its header lacks position, orientation, pixel spacing or size ({type(error).__name__}); "
                "without them its place is unknown; export the original series again"
            ) from error
        frames += found
    if len(frames) > MAX_FRAMES:
        raise DatasetError(f"{source}: {len(frames)} frames; at most {MAX_FRAMES} are read")
    return frames


def _count(header: Any) -> int:
    count = int(header.get("NumberOfFrames") or 1)
    if not 1 <= count <= MAX_FRAMES:
        raise ValueError("frames")
    return count


def _frame(path: Path, header: Any, number: int) -> Frame:
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise DatasetError(f"{path}: its pixels are colours; a sequence has one grey value per pixel")
    shown = str(header.PhotometricInterpretation)
    if shown not in ("MONOCHROME1", "MONOCHROME2"):
        raise DatasetError(f"{path}: its photometric interpretation is {shown[:16]}; MONOCHROME1 or 2 is needed")
    rows, columns = int(header.Rows), int(header.Columns)
    if not (0 < rows <= MAX_SIDE_PX and 0 < columns <= MAX_SIDE_PX):
        raise DatasetError(f"{path}: its header claims {rows} x {columns} pixels; 1 to {MAX_SIDE_PX} a side are read")
    measures = _group(header, number, "PixelMeasuresSequence")
    transform = _group(header, number, "PixelValueTransformationSequence")
    thickness = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0
    slope = transform.get("RescaleSlope")
    row_mm, column_mm = (float(value) for value in measures.PixelSpacing)
    return Frame(
        path=path,
        number=number,
        position=_floats(_group(header, number, "PlanePositionSequence").ImagePositionPatient, 3),
        orientation=_floats(_group(header, number, "PlaneOrientationSequence").ImageOrientationPatient, 6),
        pixel_mm=(row_mm, column_mm),
        thickness_mm=abs(float(thickness)) or 1.0,
        rows=rows,
        columns=columns,
        slope=1.0 if slope is None else float(slope),
        intercept=float(transform.get("RescaleIntercept") or 0.0),
        inverted=shown == "MONOCHROME1",
    )


def _group(header: Any, number: int, name: str) -> Any:
    """Find a functional group of one frame: its own, the shared one, or the header itself."""
    for groups, index in (("PerFrameFunctionalGroupsSequence", number), ("SharedFunctionalGroupsSequence", 0)):
        sequence = header.get(groups)
        if sequence and index < len(sequence) and sequence[index].get(name):
            return sequence[index].get(name)[0]
    return header


def _floats(values: Any, count: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != count:
        raise ValueError("numbers")
    return numbers


def _hash(salt: str, *values: Any) -> str:
    return hashlib.sha256("\0".join([salt, *map(str, values)]).encode()).hexdigest()[:12]


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        try:
            entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror}); change its permissions") from error
        for entry in entries:
            if not (entry.is_dir() and entry.is_symlink()):
                yield from _files(entry)
    elif path.name.upper() != "DICOMDIR" and _has_magic(path):
        yield path


def _has_magic(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(_MAGIC_OFFSET + len(_MAGIC))[_MAGIC_OFFSET:] == _MAGIC
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); change its permissions") from error
