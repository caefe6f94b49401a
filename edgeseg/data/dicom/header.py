"""Headers of DICOM files, and whether what a file says of its pixels is all there.

pydicom takes a file that ends too early for one whose data set ends there. So it is asked where the pixels begin, and
how long they claim to be is compared with the file.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from edgeseg.data.dicom.files import unreadable
from edgeseg.data.dicom.outline import outline
from edgeseg.errors import DatasetError, LimitError, MissingExtraError
from edgeseg.regular import open_regular

_PIXELS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))
_UNDEFINED, _DEFLATED, _DIRECTORY = 0xFFFFFFFF, "1.2.840.10008.1.2.1.99", "Media Storage Directory Storage"
_ITEM, _END = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_ADVICE = "the file is cut short or damaged; copy it again, or take it out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A file without its pixels: pydicom's data set, whether pixels were reached, and whether the file ends in them.

    `pixel_bytes` is how long they say they are, None where they are packed or not there.
    """

    values: Any
    has_pixels: bool
    is_cut: bool
    pixel_bytes: int | None = None


def read_header(path: Path, tags: list[str] | None = None) -> Any:
    """Read a file without its pixels; all of its header where no tags are named.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when the file cannot be read.
    """
    return read(path, tags).values


def read(path: Path, tags: list[str] | None = None, *, last: int | None = None) -> Header:
    """Read a file without its pixels, and look whether they are all there.

    Args:
        path: the file.
        tags: keywords of what is kept; None keeps all.
        last: a tag after which nothing is read; then nothing is said of pixels.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when the file cannot be read.
        LimitError: when it has more parts than any scanner writes.
    """
    try:
        from pydicom.filereader import read_partial
        from pydicom.tag import Tag
    except ImportError as error:
        raise MissingExtraError("pydicom", "dicom", "reading DICOM") from error
    wanted = None if tags is None else [Tag(tag) for tag in tags]
    place: list[tuple[int, int]] = []
    try:
        outline(path)
        with open_regular(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")

            def stop(tag: int, _vr: str | None, length: int) -> bool:
                if tag in _PIXELS:
                    place.append((stream.tell(), length))
                return bool(place) or (last is not None and tag > last)

            values = read_partial(stream, stop, force=True, specific_tags=wanted)
            for element in (*values.file_meta, *values):
                _ = element.value
            packed = values.file_meta.get("TransferSyntaxUID") == _DEFLATED
            cut = bool(place) and not packed and not _is_whole(stream, *place[0], little=values.original_encoding[1])
            told = place[0][1] if place and place[0][1] != _UNDEFINED else None
            return Header(values=values, has_pixels=bool(place), is_cut=cut, pixel_bytes=told)
    except LimitError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def is_image(path: Path, header: Header) -> bool:
    """Whether a file holds an image; one that should and does not is damaged.

    Raises:
        DatasetError: when its class is one of images and it ends before the pixels, when it does not say what it is, or
            when it has pixels and lacks their size or its series.
    """
    values = header.values
    if header.has_pixels:
        missing = [name for name in ("SeriesInstanceUID", "Rows") if values.get(name) in (None, "")]
        if missing:
            raise DatasetError(f"{path}: its header lacks {' and '.join(missing)}; {_ADVICE}")
        return True
    if holds_no_image(header):
        return False
    raise DatasetError(f"{path}: it ends before its pixels begin; {_ADVICE}")


def holds_no_image(header: Header) -> bool:
    """Whether a file says of itself that it is a report, a plan, a directory, or another thing without an image."""
    classes = [header.values.file_meta.get("MediaStorageSOPClassUID"), header.values.get("SOPClassUID")]
    names = [str(getattr(named, "name", "")) for named in classes if named]
    if names == [_DIRECTORY]:
        return True
    known = bool(classes[1]) and names[-1] != str(classes[1])
    whole = bool(classes[1]) and (known or bool(header.values.get("SeriesInstanceUID")))
    return whole and not any(name.endswith("Image Storage") for name in names)


def _is_whole(stream: BinaryIO, start: int, length: int, *, little: bool) -> bool:
    """Whether the value of the pixels ends inside the file: by its length, or by the mark after the last fragment."""
    size = stream.seek(0, 2)
    if length != _UNDEFINED:
        return start + length <= size
    while start + 8 <= size:
        stream.seek(start)
        group, element, length = struct.unpack("<HHI" if little else ">HHI", stream.read(8))
        if (group, element) == _END:
            return True
        if (group, element) != _ITEM:
            return False
        start += 8 + length
    return False
