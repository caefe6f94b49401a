"""The frames of a series: where each lies, and how its stored values become intensities; no pixels are decoded here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.data.dicom.listing import SeriesFiles
from edgeseg.errors import DatasetError

MAX_SIDE_PX, MAX_FRAMES = 8192, 100_000
_UNIT_WITHIN = 0.01
"""How far the length of a direction may be from 1: some headers have two digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Padding:
    """Stored values that are no intensities: one, or all from `low` to `high`; `bits` is how many a pixel has."""

    low: int
    high: int
    bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One slice in a DICOM file; distances in mm, directions and positions in LPS.

    Where black and white are exchanged (`inverted`), an intensity is `top` minus the value. `instance` is its number in
    the series where it stands in a file of its own, and `spacing_mm` the distance of slices that its header claims,
    `least_mm` the lesser of distance and thickness where it claims both; each is None where nothing is claimed.
    """

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
    top: float = 0.0
    instance: int | None = None
    spacing_mm: float | None = None
    least_mm: float | None = None
    padding: Padding | None = None


def frames_of(series: SeriesFiles, source: str) -> list[Frame]:
    """List the frames of a series in the order of its files.

    Raises:
        DatasetError: when a frame is colour, too large, or does not say where it is.
    """
    frames: list[Frame] = []
    counts = [_count(path, header) for path, header in zip(series.paths, series.headers, strict=True)]
    for path, header, count in zip(series.paths, series.headers, counts, strict=True):
        try:
            frames += [_frame(path, header, number) for number in range(count)]
        except DatasetError:
            raise
        except Exception as error:
            raise DatasetError(
                f"{path}: its header lacks position, orientation, pixel spacing or size ({type(error).__name__}); "
                "without them its place is unknown; export the original series again"
            ) from error
    if len(frames) > MAX_FRAMES:
        raise DatasetError(f"{source}: {len(frames)} frames; at most {MAX_FRAMES} are read")
    return frames


def _count(path: Path, header: Any) -> int:
    try:
        count = int(header.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        count = 0
    if not 1 <= count <= MAX_FRAMES:
        raise DatasetError(f"{path}: its header claims a number of frames that is none; 1 to {MAX_FRAMES} are read")
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups and len(groups) != count:
        raise DatasetError(
            f"{path}: its header claims {count} frames and describes {len(groups)}; the file is damaged; export it "
            "again"
        )
    return count


def _frame(path: Path, header: Any, number: int) -> Frame:
    if int(header.get("SamplesPerPixel") or 1) != 1:
        raise DatasetError(f"{path}: its pixels are colours; a sequence has one grey value per pixel")
    shown = str(header.PhotometricInterpretation)
    if shown not in ("MONOCHROME1", "MONOCHROME2"):
        raise DatasetError(f"{path}: its photometric interpretation is no grey one; MONOCHROME1 or 2 is needed")
    rows, columns = int(header.Rows), int(header.Columns)
    if not (0 < rows <= MAX_SIDE_PX and 0 < columns <= MAX_SIDE_PX):
        raise DatasetError(f"{path}: its header claims {rows} x {columns} pixels; 1 to {MAX_SIDE_PX} a side are read")
    measures = _group(header, number, "PixelMeasuresSequence")
    transform = _group(header, number, "PixelValueTransformationSequence")
    thickness = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 1.0
    slope = transform.get("RescaleSlope")
    claimed = _claimed_mm(measures)
    row_mm, column_mm = (float(value) for value in measures.PixelSpacing)
    if min(row_mm, column_mm) < 0:
        raise DatasetError(
            f"{path}: its pixels are {row_mm:g} x {column_mm:g} mm, and a distance below zero could mean either side; "
            "export it again"
        )
    orientation = _floats(_group(header, number, "PlaneOrientationSequence").ImageOrientationPatient, 6)
    _require_directions(path, orientation)
    instance = header.get("InstanceNumber")
    return Frame(
        path=path,
        number=number,
        position=_floats(_group(header, number, "PlanePositionSequence").ImagePositionPatient, 3),
        orientation=orientation,
        pixel_mm=(row_mm, column_mm),
        thickness_mm=abs(float(thickness)) or 1.0,
        rows=rows,
        columns=columns,
        slope=1.0 if slope is None else float(slope),
        intercept=float(transform.get("RescaleIntercept") or 0.0),
        inverted=shown == "MONOCHROME1",
        top=_largest(header) * (1.0 if slope is None else float(slope)),
        instance=None if instance is None or header.get("NumberOfFrames") else int(instance),
        spacing_mm=max(claimed, default=None),
        least_mm=min(claimed) if len(claimed) > 1 else None,
        padding=_padding(header),
    )


def _require_directions(path: Path, orientation: tuple[float, ...]) -> None:
    """Refuse directions of rows and columns of another length than 1: every distance and volume would be off by it."""
    for direction in (orientation[:3], orientation[3:]):
        if not abs((length := math.hypot(*direction)) - 1.0) <= _UNIT_WITHIN:
            raise DatasetError(
                f"{path}: the direction of its rows or columns has the length {length:g} and 1 is needed, so its size "
                "is unknown; export it again"
            )


def _claimed_mm(measures: Any) -> list[float]:
    """Read what a header claims of the distance of slices, and their thickness.

    Some scanners write the gap for the distance, so the larger counts where slices may be missing, and the lesser where
    there may be too many. A distance below zero tells the direction of the stack.
    """
    claimed = [abs(float(measures.get(name) or 0.0)) for name in ("SpacingBetweenSlices", "SliceThickness")]
    return [value for value in claimed if value]


def _largest(header: Any) -> int:
    """Return the largest value that can be stored."""
    bits = int(header.get("BitsStored") or header.get("BitsAllocated") or 16)
    return (1 << (bits - int(header.get("PixelRepresentation") or 0))) - 1


def _padding(header: Any) -> Padding | None:
    value = header.get("PixelPaddingValue")
    if value is None:
        return None
    limit, bits = header.get("PixelPaddingRangeLimit"), int(header.get("BitsStored") or header.get("BitsAllocated"))
    signed = int(header.get("PixelRepresentation") or 0) == 1
    ends = [
        _as_stored(int(end), int(header.BitsAllocated), signed=signed)
        for end in (value, value if limit is None else limit)
    ]
    return Padding(low=min(ends), high=max(ends), bits=bits)


def _as_stored(value: int, bits: int, *, signed: bool) -> int:
    """Read a value of `bits` bits as the pixels are read, whatever sign it was written with."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


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
