"""Which series files belong to, and what their headers tell of each; nothing here decodes pixels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from edgeseg.data.dicom import enhanced
from edgeseg.data.dicom.header import holds_no_image, is_image, read
from edgeseg.data.listing import natural_key
from edgeseg.data.origin import Origin
from edgeseg.data.recognise import SeriesFacts, words_of
from edgeseg.data.recognise.table import BEFORE, NEVER, OTHER_PART, WITHOUT
from edgeseg.errors import DatasetError

TAGS = [
    "AccessionNumber", "BitsAllocated", "BitsStored", "BodyPartExamined", "ComplexImageComponent",
    "ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusIngredient", "ContrastBolusStartTime",
    "ContrastBolusTotalDose", "ContrastBolusVolume", "LossyImageCompression",
    "DiffusionBValue", "EchoPulseSequence", "EchoTime",
    "FrameOfReferenceUID", "ImageOrientationPatient", "ImagePositionPatient", "ImageType", "ImagesInAcquisition",
    "InstanceNumber", "InversionTime", "Modality", "NumberOfFrames", "PatientBirthDate", "PatientID", "PatientName",
    "PatientSex", "PerFrameFunctionalGroupsSequence", "PhotometricInterpretation", "PixelPaddingRangeLimit",
    "PixelPaddingValue", "PixelRepresentation", "PixelSpacing", "RepetitionTime", "RescaleIntercept", "RescaleSlope",
    "Rows", "Columns", "SamplesPerPixel", "ScanningSequence", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber",
    "SharedFunctionalGroupsSequence", "SliceThickness", "SpacingBetweenSlices", "StudyDate", "StudyInstanceUID",
    "SOPClassUID", "SOPInstanceUID",
]  # fmt: skip
_NO_AGENT = frozenset(("", "no", "none", "nein", "non", "n", "0", "without", "n/a", "na", "null"))
_NO_AGENT_WORDS = (("no",), ("none",), ("kein",), ("keine",), ("aucun",), ("ninguno",), ("nessuno",))
_IDENTIFYING = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber")
_HIDDEN = "..."
_OWNER_TAGS = [
    "PatientBirthDate", "PatientID", "PatientName", "PatientSex", "SeriesInstanceUID", "SOPClassUID",
    "StudyInstanceUID",
]  # fmt: skip
_SERIES_UID = 0x0020000E
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_MIN_HIDDEN = 3
_MODALITIES = frozenset((
    "MR", "CT", "PT", "NM", "US", "XA", "RF", "CR", "DX", "MG", "IO", "OT", "SC", "SEG", "RTSTRUCT", "RTDOSE",
    "RTPLAN", "RTIMAGE", "RTRECORD", "SR", "PR", "KO", "REG", "FID", "RWV", "PX", "ES", "GM", "OP", "XC", "ECG",
    "EPS", "HD", "IVUS", "OCT", "OPT", "OPM", "OPV", "SM", "M3D", "DOC", "ANN", "AU", "BI", "BMD", "CFM", "DG", "DMS",
    "EEG", "EMG", "EOG", "IVOCT", "LEN", "LS", "KER", "OAM", "OSS", "PLAN", "POS", "RESP", "SMR", "SRF", "STAIN",
    "TEXTUREMAP", "TG", "VA",
))  # fmt: skip
"""Codes of DICOM PS3.3 C.7.3.1.1.1."""


@dataclass(slots=True, kw_only=True)
class SeriesFiles:
    """One series; `uid` is its own, and is for comparison with what a user asks for alone.

    `cut` are those of its files that end before their pixels do.
    """

    description: str
    uid: str
    origin: Origin
    paths: list[Path]
    headers: list[Any]
    cut: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What messages call it; a description may hold a patient's name."""
        number = _whole(self.headers[0], "SeriesNumber")
        return "a series without a number" if number is None else f"series {number}"

    def facts(self) -> SeriesFacts:
        """Gather what tells which sequence it is."""
        first = self.headers[0]
        frames = sum(_whole(header, "NumberOfFrames") or 1 for header in self.headers)
        return SeriesFacts(
            description=self.description,
            number=_whole(first, "SeriesNumber"),
            modality=_modality(first),
            image_type=(
                *(str(word).upper() for word in _many(first.get("ImageType"))),
                *(str(word).upper() for word in _many(first.get("ComplexImageComponent"))),
                *_captured(first),
            ),
            body_part=_other_part(first),
            scanning=tuple(str(word).upper() for word in _many(first.get("ScanningSequence")))
            or enhanced.pulses(first),
            echo_ms=enhanced.milliseconds(first, "echo"),
            repetition_ms=enhanced.milliseconds(first, "repetition"),
            inversion_ms=enhanced.milliseconds(first, "inversion"),
            b_value=max((enhanced.b_value(header) for header in self.headers), default=0.0),
            contrast=any(_agent(header) for header in self.headers),
            plane=_plane(self.headers),
            slices=frames,
        )


def list_series(paths: Iterable[Path], salt: str) -> tuple[tuple[SeriesFiles, ...], tuple[Path, ...]]:
    """Read the headers of DICOM files and sort them by series; the second value are those that hold no image.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when one cannot be read, or ends before its pixels begin.
    """
    found: dict[str, SeriesFiles] = {}
    others = []
    for file in sorted(paths, key=lambda file: natural_key(str(file))):
        read_one = read(file, TAGS)
        if not is_image(file, read_one):
            others.append(file)
            continue
        header = read_one.values
        uid = str(header.SeriesInstanceUID)
        if uid not in found:
            found[uid] = SeriesFiles(
                description=_described(header), uid=uid, origin=_origin(header, salt), paths=[], headers=[]
            )
        found[uid].paths.append(file)
        found[uid].headers.append(header)
        found[uid].cut += [file] if read_one.is_cut else []
    return tuple(found.values()), tuple(others)


def owner_of(path: Path) -> str | None:
    """Hash patient and study of one file, of whose header no more is read than that; None where it holds no image.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when it cannot be read so far.
    """
    found = read(path, _OWNER_TAGS, last=_SERIES_UID)
    if holds_no_image(found):
        return None
    if not found.values.get("SeriesInstanceUID"):
        raise DatasetError(f"{path}: its header does not say to which series it belongs; the file is damaged")
    origin = _origin(found.values, "")
    return f"{origin.patient or origin.person} {origin.study}"


def _described(header: Any) -> str:
    """Give the description without whatever in it names the patient."""
    text = " ".join(str(header.get("SeriesDescription") or "").split())[:64]
    named = [word for name in _IDENTIFYING for word in re.split(r"[\s^=,]+", str(header.get(name) or ""))]
    for word in sorted({word for word in named if len(word) >= _MIN_HIDDEN}, key=len, reverse=True):
        text = re.sub(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", _HIDDEN, text, flags=re.IGNORECASE)
    shown = "".join(char if char.isprintable() else " " for char in text)
    return re.sub(r"\d+(\.\d+){4,}", _HIDDEN, shown)


def _origin(header: Any, salt: str) -> Origin:
    def hashed(*names: str) -> str | None:
        values = [" ".join(str(header.get(name) or "").casefold().replace("^", " ").split()) for name in names]
        return hashlib.sha256("\0".join([salt, *values]).encode()).hexdigest()[:12] if any(values) else None

    return Origin(
        patient=hashed("PatientID"),
        person=hashed("PatientName", "PatientBirthDate", "PatientSex"),
        study=hashed("PatientID", "StudyInstanceUID") or hashed("SeriesInstanceUID"),
        frame=hashed("FrameOfReferenceUID"),
        day=_day(header.get("StudyDate")),
    )


def _day(text: Any) -> date | None:
    digits = str(text or "").replace(".", "")[:8]
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _agent(header: Any) -> bool:
    """Whether a header says that a contrast agent was given: by name, or by what only a given one has."""
    text = str(header.get("ContrastBolusAgent") or "").strip()
    words = words_of(text)
    if text and (words[:1] in _NO_AGENT_WORDS or any(word in BEFORE | WITHOUT for word in words)):
        return False
    if enhanced.agent_given(header) or text.casefold() not in _NO_AGENT:
        return True
    given = (enhanced.number(header.get(name)) for name in ("ContrastBolusVolume", "ContrastBolusTotalDose"))
    told = (str(header.get(name) or "").strip() for name in ("ContrastBolusStartTime", "ContrastBolusIngredient"))
    return any(value and value > 0 for value in given) or any(word.casefold() not in _NO_AGENT for word in told)


def _other_part(header: Any) -> str:
    """Give the part of the body that a header names where it is known to be another one than the head."""
    words = words_of(str(header.get("BodyPartExamined") or ""))
    return next((word for word in words if word in NEVER[OTHER_PART]), "")


def _plane(headers: list[Any]) -> str:
    """Name the plane of the slices, by what is nearest; `mixed` where they differ, as those of a localizer do."""
    planes = set()
    for header in headers:
        values = header.get("ImageOrientationPatient")
        for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            groups = header.get(name)
            if values is None and groups and groups[0].get("PlaneOrientationSequence"):
                values = groups[0].PlaneOrientationSequence[0].get("ImageOrientationPatient")
        try:
            along_row, along_column = np.reshape([float(value) for value in values or ()], (2, 3))
        except (TypeError, ValueError):
            continue
        planes.add(("sagittal", "coronal", "axial")[int(np.abs(np.cross(along_row, along_column)).argmax())])
    return "" if not planes else planes.pop() if len(planes) == 1 else "mixed"


def _modality(header: Any) -> str:
    """Give the code of the modality; anything else that stands there could be words on the patient."""
    code = str(header.get("Modality") or "")
    return code if code in _MODALITIES else "unknown"


def _captured(header: Any) -> tuple[str, ...]:
    """Say that a file is a picture of a screen where its class does, whatever its type of image says."""
    return ("SCREEN SAVE",) if str(header.get("SOPClassUID") or "").startswith(_SECONDARY_CAPTURE) else ()


def _many(value: Any) -> tuple[Any, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _whole(header: Any, name: str) -> int | None:
    value = enhanced.number(header.get(name))
    return None if value is None or not np.isfinite(value) else int(value)
