"""DICOM SEG as reference masks: which segments a file has, and their pixels on the frames that they were drawn on.

A frame of a SEG names the image, by its SOP instance UID, that it was drawn on; where a segment has no frame of an
image, nothing of it is there. What stands in the files reaches no message but the labels of segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom.files import unreadable
from edgeseg.data.dicom.frames import Frame
from edgeseg.data.dicom.header import read, read_header
from edgeseg.data.dicom.series import DicomSeries
from edgeseg.errors import MaskError

_BINARY_CLASS, _LABEL_MAP_CLASS = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
_SOP_CLASS = 0x00080016
_MAX_FRAMES, _MAX_SEGMENTS = 100_000, 1000
_APART_PX, _TURNED = 0.1, 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class SegFile:
    """One file; `segments` are their labels by number, and `series` is the UID of the series that it refers to."""

    path: Path
    segments: Mapping[int, str]
    series: str


def is_seg(path: Path) -> bool:
    """Whether a DICOM file is a segmentation, by its class alone.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when it cannot be read so far.
    """
    found = read(path, ["SOPClassUID"], last=_SOP_CLASS).values
    kind = found.get("SOPClassUID") or found.file_meta.get("MediaStorageSOPClassUID")
    return str(kind or "") in (_BINARY_CLASS, _LABEL_MAP_CLASS)


def read_seg(path: Path) -> SegFile:
    """Read what a SEG says of its segments.

    Raises:
        MaskError: when it is fractional, holds no segment, or does not say of which series it is.
        DatasetError: when it cannot be read.
    """
    tags = ["SegmentationType", "SegmentSequence", "ReferencedSeriesSequence", "BitsAllocated"]
    header = read_header(path, tags)
    _require_plain(path, str(header.get("SegmentationType") or ""), int(header.get("BitsAllocated") or 1))
    try:
        numbers = [int(one.SegmentNumber) for one in header.SegmentSequence]
        segments = {int(one.SegmentNumber): str(one.SegmentLabel) for one in header.SegmentSequence}
        series = {str(one.SeriesInstanceUID) for one in header.ReferencedSeriesSequence}
    except (AttributeError, TypeError, ValueError) as error:
        raise MaskError(
            f"{path}: the DICOM SEG does not name its segments, or the series that it was drawn on "
            f"({type(error).__name__}); export it again with both"
        ) from error
    if len(segments) < len(numbers):
        raise MaskError(f"{path}: the DICOM SEG gives one number to two of its segments; export it again")
    segments.pop(0, None)
    if not 0 < len(segments) <= _MAX_SEGMENTS or len(series) != 1:
        raise MaskError(
            f"{path}: the DICOM SEG has {len(segments)} segments of {len(series)} series; at least one segment of one "
            "series is needed"
        )
    return SegFile(path=path, segments=segments, series=next(iter(series)))


def _require_plain(path: Path, kind: str, bits: int) -> None:
    """Refuse pixels of which it is unclear whether they are in a segment, and in which."""
    if kind == "FRACTIONAL":
        raise MaskError(
            f"{path}: the DICOM SEG is fractional, with a share for each pixel, and masks are yes or no; export it as "
            "binary"
        )
    if kind not in ("", "BINARY", "LABELMAP") or (kind == "LABELMAP" and bits == 1):
        raise MaskError(
            f"{path}: the DICOM SEG calls itself '{kind[:20]}' and has {bits} bits for a pixel, so what a pixel means "
            "is unclear; export it as binary, or as a map of labels of 8 or 16 bits"
        )


def class_name(label: str, number: int) -> str:
    """Return the label of a segment as a name of a class: small, without spaces; `segment-3` where nothing is left."""
    return re.sub(r"[^\w.]+", "-", label.lower()).strip("-._") or f"segment-{number}"


def segment_masks(seg: SegFile, series: DicomSeries) -> dict[int, NDArray[np.bool_]]:
    """Read the masks of all segments of a file, in the common orientation.

    Args:
        seg: the file.
        series: what it was drawn on.

    Returns:
        By number of the segment `(N, h, w) bool`, for each slice of the series.

    Raises:
        MaskError: when a frame refers to no image of the series or lies elsewhere, or sizes differ.
        DatasetError: when the file cannot be read.
    """
    first = series.frames[0]
    size = (first.rows, first.columns)
    stored = {number: np.zeros((len(series.frames), *size), np.bool_) for number in sorted(seg.segments)}
    header = _header(seg, size)
    is_map, places = str(header.get("SegmentationType")) == "LABELMAP", _places(series)
    for group, pixels in zip(_groups(seg, header), _pixels(seg, size), strict=True):
        place = _place(seg, group, places)
        _require_there(seg, group, series.frames[place])
        parts = np.unique(pixels[pixels > 0]).tolist() if is_map else [_segment(seg, group)]
        for segment in parts:
            if segment not in stored:
                raise MaskError(f"{seg.path}: a frame is of segment {segment}, which the file does not name")
            stored[segment][place] |= pixels == segment if is_map else pixels > 0
    return {number: _seen(stack, series) for number, stack in stored.items()}


def _header(seg: SegFile, size: tuple[int, int]) -> Any:
    whole = read(seg.path)
    header = whole.values
    shape = (int(header.get("Rows") or 0), int(header.get("Columns") or 0))
    if shape != size:
        raise MaskError(
            f"{seg.path}: the DICOM SEG is {shape[0]} x {shape[1]} and its series {size[0]} x {size[1]}; masks are "
            "never resampled, so export it on the grid of the series"
        )
    bits = int(header.get("NumberOfFrames") or 1) * shape[0] * shape[1] * int(header.get("BitsAllocated") or 1)
    if whole.is_cut or (whole.pixel_bytes is not None and 8 * whole.pixel_bytes < bits):
        raise MaskError(  # pydicom would fill up what is missing with whatever lies in memory
            f"{seg.path}: the DICOM SEG has fewer pixels than its frames need; the file is "
            "cut short or damaged; export it again"
        )
    return header


def _groups(seg: SegFile, header: Any) -> list[_Groups]:
    own, count = header.get("PerFrameFunctionalGroupsSequence") or (), int(header.get("NumberOfFrames") or 1)
    if len(own) != count or count > _MAX_FRAMES:
        raise MaskError(f"{seg.path}: the DICOM SEG claims {count} frames and describes {len(own)}; export it again")
    shared = (header.get("SharedFunctionalGroupsSequence") or [{}])[0]
    return [_Groups(one, shared) for one in own]


def _pixels(seg: SegFile, size: tuple[int, int]) -> Iterator[NDArray[np.integer[Any]]]:
    """Read the frames one after another, `(rows, columns)` of whole numbers."""
    from pydicom.pixels import iter_pixels

    try:
        for frame in iter_pixels(seg.path, raw=True):
            yield frame.reshape(size)
    except Exception as error:
        raise unreadable(seg.path, error) from error


class _Groups:
    """The functional groups of one frame: its own, or else the shared ones."""

    def __init__(self, own: Any, shared: Any) -> None:
        self._own, self._shared = own, shared

    def get(self, name: str) -> Any:
        """Return the items of one; none where it is not there."""
        return self._own.get(name) or self._shared.get(name) or ()


def _segment(seg: SegFile, group: _Groups) -> int:
    try:
        return int(group.get("SegmentIdentificationSequence")[0].ReferencedSegmentNumber)
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise MaskError(f"{seg.path}: a frame does not say of which segment it is; export it again") from error


def _places(series: DicomSeries) -> dict[tuple[str, int], int]:
    """Return where the frames of a series stand, by UID of the instance and number of the frame in it, from 1 on."""
    uids: dict[Path, str] = {}
    for path in {frame.path for frame in series.frames}:
        uids[path] = str(read_header(path, ["SOPInstanceUID"]).get("SOPInstanceUID") or "")
    return {(uids[frame.path], frame.number + 1): place for place, frame in enumerate(series.frames)}


def _place(seg: SegFile, group: _Groups, places: Mapping[tuple[str, int], int]) -> int:
    named = [
        one for derived in group.get("DerivationImageSequence") for one in derived.get("SourceImageSequence") or ()
    ]
    found = set()
    for one in named:
        numbers = one.get("ReferencedFrameNumber") or 1
        for number in [numbers] if isinstance(numbers, int | str) else numbers:
            found.add(places.get((str(one.get("ReferencedSOPInstanceUID")), int(number))))
    if len(found) == 1 and (place := found.pop()) is not None:
        return place
    said = "names no image" if not named else "names several images" if found else "names an image of another series"
    raise MaskError(
        f"{seg.path}: a frame of the DICOM SEG {said}, so its place is unknown; each frame has to refer to the one "
        "image of its series that it was drawn on; export it so, from the program that drew it"
    )


def _require_there(seg: SegFile, group: _Groups, frame: Frame) -> None:
    """Refuse a frame whose own place or direction, where it has one, is another than its image's."""
    pairs = (
        ("PlanePositionSequence", "ImagePositionPatient", frame.position, _APART_PX * min(frame.pixel_mm)),
        ("PlaneOrientationSequence", "ImageOrientationPatient", frame.orientation, _TURNED),
    )
    for sequence, name, ours, apart in pairs:
        items = group.get(sequence)
        theirs = items[0].get(name) if items else None
        if theirs is None:
            continue
        if len(theirs) != len(ours) or not np.allclose([float(one) for one in theirs], ours, rtol=0, atol=apart):
            raise MaskError(
                f"{seg.path}: a frame of the DICOM SEG lies elsewhere, or is turned, against the image that it refers "
                "to; masks are never resampled, so export it on the grid of its series"
            )


def _seen(stack: NDArray[np.bool_], series: DicomSeries) -> NDArray[np.bool_]:
    """Turn `(frames, rows, columns)` as stored into slices of the common orientation."""
    view, count = series.view, series.shape[0]
    along = view.axes[0]
    planes = (np.take(stack, view.index(index, count), axis=along) for index in range(count))
    return np.stack([np.asarray(view.plane(plane), np.bool_) for plane in planes])
