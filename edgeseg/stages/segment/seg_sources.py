"""What highdicom is given as the images that a DICOM SEG refers to: one plain header per frame, with text decoded.

highdicom takes either one multi-frame file or files of one frame each, and keeps the character set of the first. So
each frame of the series, whatever file it lies in, gets a stand-in of one frame; the references are put right after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.data.dicom.frames import Frame
from edgeseg.data.dicom.header import read_header
from edgeseg.errors import DatasetError

_UTF_8, _ONE_FRAME_CLASS = "ISO_IR 192", "1.2.840.10008.5.1.4.1.1.4"
_SEXES = ("M", "F", "O")
_NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPClassUID", "SOPInstanceUID")
_MAY_BE_EMPTY = (
    "AccessionNumber", "PatientBirthDate", "PatientID", "PatientName", "PatientSex", "PositionReferenceIndicator",
    "ReferringPhysicianName", "StudyDate", "StudyID", "StudyTime",
)  # fmt: skip
_LEFT_OUT = (
    "DimensionIndexSequence", "DimensionOrganizationSequence", "NumberOfFrames", "PerFrameFunctionalGroupsSequence",
    "SharedFunctionalGroupsSequence",
)  # fmt: skip
_BINARY = ("OB", "OD", "OF", "OL", "OV", "OW", "UN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One frame of the series: the header that stands for it, and what a SEG says that it refers to.

    `number` counts from 1, and is None in a file of one frame.
    """

    header: Any
    sop_class: str
    instance: str
    number: int | None


def stand_ins(frames: Sequence[Frame]) -> tuple[Source, ...]:
    """Make one header of one frame for each frame of a series, in their order.

    Raises:
        DatasetError: when a header lacks an identifier that a SEG has to name.
    """
    shared = _shared(read_header(frames[0].path), frames[0])
    known: dict[Path, tuple[str, str]] = {}
    counts = Counter(frame.path for frame in frames)
    return tuple(_stand_in(shared, frame, known, several=counts[frame.path] > 1) for frame in frames)


def point_to_sources(made: Any, sources: Sequence[Source]) -> Any:
    """Make a SEG that refers to stand-ins refer to the files and frames that they stand for; gives the SEG."""
    of = {str(source.header.SOPInstanceUID): source for source in sources}
    for group in made.PerFrameFunctionalGroupsSequence:
        for derivation in group.get("DerivationImageSequence", ()):
            for reference in derivation.SourceImageSequence:
                source = of.get(str(reference.ReferencedSOPInstanceUID))
                if source is None:  # frames of several segments share it, and it was put right with the first
                    continue
                _refer(reference, source)
                if source.number is not None:
                    reference.ReferencedFrameNumber = source.number
    made.SourceImageSequence = _distinct(made.SourceImageSequence, of)
    for series in made.ReferencedSeriesSequence:
        series.ReferencedInstanceSequence = _distinct(series.ReferencedInstanceSequence, of)
    return made


def _distinct(references: Any, of: dict[str, Source]) -> list[Any]:
    """Make each reference anew, since lists of highdicom share them; files that hold several frames stand once."""
    from pydicom.dataset import Dataset

    sources = [of[str(reference.ReferencedSOPInstanceUID)] for reference in references]
    return [_refer(Dataset(), source) for source in {source.instance: source for source in sources}.values()]


def _refer(reference: Any, source: Source) -> Any:
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = source.sop_class, source.instance
    return reference


def _shared(header: Any, frame: Frame) -> Any:
    """Give a header what all stand-ins share, and what of it DICOM lets be unknown as unknown."""
    from highdicom import UID

    _require(header, frame.path)
    made = plain_header(header)
    made.SOPClassUID, made.SOPInstanceUID = _ONE_FRAME_CLASS, UID()
    made.ImageOrientationPatient = [_decimal(value) for value in frame.orientation]
    made.PixelSpacing = [_decimal(value) for value in frame.pixel_mm]
    made.SliceThickness = made.get("SliceThickness") or _decimal(frame.thickness_mm)
    made.Rows, made.Columns = frame.rows, frame.columns
    if "SpacingBetweenSlices" in made:
        del made.SpacingBetweenSlices  # highdicom finds it from the positions
    return made


def plain_header(header: Any) -> Any:
    """Copy a header as UTF-8 without its pixels; what DICOM lets be unknown is empty where it is missing or wrong."""
    made = _decoded(header)
    for name in _MAY_BE_EMPTY:
        if made.get(name) is None:
            setattr(made, name, "")
    if made.PatientSex not in _SEXES:
        made.PatientSex = ""
    for name in ("PatientBirthDate", "StudyDate", "StudyTime"):
        if not _is_moment(str(made[name].value), name):
            setattr(made, name, "")
    made.SpecificCharacterSet = _UTF_8
    return made


def _stand_in(shared: Any, frame: Frame, known: dict[Path, tuple[str, str]], *, several: bool) -> Source:
    from highdicom import UID
    from pydicom.dataset import Dataset

    if frame.path not in known:
        header = read_header(frame.path, list(_NEEDED))
        _require(header, frame.path)
        known[frame.path] = (str(header.SOPClassUID), str(header.SOPInstanceUID))
    made = Dataset()
    made.update(shared)  # which shares its elements, so these two are made anew
    made.add_new("SOPInstanceUID", "UI", UID())
    made.add_new("ImagePositionPatient", "DS", [_decimal(value) for value in frame.position])
    sop_class, instance = known[frame.path]
    number = frame.number + 1 if several else None
    return Source(header=made, sop_class=sop_class, instance=instance, number=number)


def _require(header: Any, path: Path) -> None:
    if missing := [name for name in _NEEDED if not str(header.get(name) or "")]:
        raise DatasetError(
            f"{path}: its header lacks {', '.join(missing)}, which a DICOM SEG has to name; take masks as png with "
            "--format png, or export the series again"
        )


def _decoded(header: Any) -> Any:
    """Copy a header without its frames, binary and private parts; names are text, not bytes of a character set."""
    from pydicom.dataset import Dataset
    from pydicom.valuerep import PersonName

    made = Dataset()
    for element in header:
        if element.tag.is_private or element.VR in _BINARY or element.keyword in ("", *_LEFT_OUT):
            continue
        value = element.value
        if element.VR == "SQ":
            value = [_decoded(item) for item in value]
        elif element.VR == "PN":
            names = [value] if isinstance(value, (str, PersonName)) else list(value or ())
            texts = [str(name) for name in names]
            value = texts if len(texts) > 1 else "".join(texts)
        made.add_new(element.tag, element.VR, value)
    return made


def _is_moment(text: str, name: str) -> bool:
    from pydicom.valuerep import DA, TM

    try:
        _ = (TM if name.endswith("Time") else DA)(text)
    except ValueError:
        return False
    return True


def _decimal(value: float) -> str:
    from pydicom.valuerep import format_number_as_ds

    return str(format_number_as_ds(float(value)))
