"""Which files are DICOM, and their pixels, with or without the preamble of 128 bytes.

What pydicom says against a file may quote what stands in it, a patient's name included; so messages carry the kind of
its error alone.
"""

from __future__ import annotations

import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom.outline import DEFLATED, outline
from edgeseg.data.dicom.packed import require_size
from edgeseg.errors import DatasetError, LimitError
from edgeseg.regular import open_regular

ENDINGS = (".dcm", ".ima", ".dicom")
"""What names of DICOM files end in, where they end in anything; a file so named that is none is damaged."""
_COMPRESSED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
_SIZES = ["Rows", "Columns", "NumberOfFrames", "BitsAllocated", "SamplesPerPixel"]
_MAGIC, _MAGIC_OFFSET = b"DICM", 128
_FIRST_GROUPS, _LONGEST_FIRST, _HEAD = (0x0002, 0x0008), 1 << 10, 132
_VRS = frozenset((b"AE", b"CS", b"DA", b"LO", b"OB", b"PN", b"SH", b"ST", b"TM", b"UI", b"UL", b"US"))


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: with the preamble, or without it with an element of group 2 or 8.

    Raises:
        DatasetError: when the file cannot be read.
    """
    if path.name.upper() == "DICOMDIR" or not path.is_file():
        return False
    try:
        with open_regular(path) as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); change its permissions") from error
    return head[_MAGIC_OFFSET:] == _MAGIC or _first_element(head)


def _first_element(head: bytes) -> bool:
    """Whether bytes begin with the first element of a data set: a low group, and a value of a plausible length."""
    if len(head) < _HEAD:
        return False
    for order in "<>":
        group, element = struct.unpack_from(f"{order}HH", head)
        if group not in _FIRST_GROUPS or element > 0x0100:
            continue
        if head[4:6] in _VRS:
            return True
        if 0 < struct.unpack_from(f"{order}I", head, 4)[0] <= _LONGEST_FIRST:
            return True
    return False


def read_pixels(path: Path, number: int) -> NDArray[np.generic]:
    """Decode one frame as it is stored: no rescaling, no exchange of black and white.

    Raises:
        DatasetError: when it cannot be decoded.
        LimitError: when it would become another picture than its header says.
    """
    from pydicom.pixels import pixel_array

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = _source(path)
            _require_size(path, source, number)
            return np.asarray(pixel_array(source, index=number, raw=True))
    except LimitError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def _require_size(path: Path, source: Any, number: int) -> None:
    """Hold a compressed frame against the header."""
    import pydicom
    from pydicom.encaps import get_frame

    if not isinstance(source, Path):
        return
    syntax = pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID", "")
    if not syntax.startswith(_COMPRESSED) or (found := outline(path)).pixels_at is None:
        return
    header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_SIZES)
    frames = int(header.get("NumberOfFrames") or 1)
    with open_regular(path) as stream:
        stream.seek(found.pixels_at)
        require_size(get_frame(stream, number, number_of_frames=frames), header, str(path))


def _source(path: Path) -> Any:
    """Give the path, from which one frame can be read; or the whole data set where that cannot be done.

    That is for deflated files, and for those without file meta, which get the syntax that they were found to have.
    """
    import pydicom
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    with open_regular(path) as stream:
        has_meta = stream.read(_HEAD)[_MAGIC_OFFSET:] == _MAGIC
    if has_meta and pydicom.filereader.read_file_meta_info(path).get("TransferSyntaxUID") != DEFLATED:
        return path
    read = pydicom.dcmread(path, force=True)
    if "TransferSyntaxUID" not in read.file_meta:
        implicit, little = read.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        read.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return read


def unreadable(path: Path, error: Exception) -> DatasetError:
    """Make the error for a file that pydicom cannot read, without quoting it."""
    if "'JPEG Extended' for samples with 12-bit" in str(error):
        return DatasetError(
            f"{path}: its pixels are JPEG of 12 bits (extended, process 4), which no library with a permissive licence "
            "decodes; decompress it first, or install pylibjpeg and pylibjpeg-libjpeg (GPL-3.0) beside edgeseg"
        )
    return DatasetError(
        f"{path}: cannot be read as DICOM ({type(error).__name__}); the file is damaged, cut short or compressed in a "
        "way that is not supported; copy it again, or decompress it first (such as with gdcmconv --raw)"
    )
