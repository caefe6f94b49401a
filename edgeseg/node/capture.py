"""The secondary capture, for viewers that cannot show a SEG: the contact sheet, with what was measured burnt in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from edgeseg import __version__
from edgeseg.node.report import Finding, source_references, told_trust
from edgeseg.specs import INTENDED_USE

_SERIES_NUMBER, _HEAD_PX, _LINE_PX = 902, 36, 16
_WHITE, _YELLOW = (255, 255, 255), (255, 220, 120)
_MOST_COMMENT = 10_000
"""Letters of what was measured; a Long Text of DICOM holds 10,240 with the rest."""


def draw_capture(sheet: Path, found: Finding) -> NDArray[np.uint8]:
    """Put what was measured above a contact sheet: `(h, w, 3) uint8` RGB; no name and no date of the patient."""
    with Image.open(sheet) as opened:
        below = opened.convert("RGB")
    told = measured(found)
    head = _HEAD_PX + _LINE_PX * (len(told) - 1)
    made = Image.new("RGB", (max(below.width, 760), below.height + head))
    made.paste(below, (0, head))
    pen = ImageDraw.Draw(made)
    model = f"edgeseg {__version__}, {found.network or found.variant} {found.target}, model {found.model_sha256[:12]}"
    lines = [f"{told[0]}   {INTENDED_USE}", *told[1:], model]
    for number, line in enumerate(lines):
        pen.text((4, 2 + number * _LINE_PX), line, fill=_WHITE if line is model else _YELLOW)
    return np.asarray(made, np.uint8)


def measured(found: Finding) -> list[str]:
    """Say what was measured: lines for the tumour and how far to trust them, or of several classes a line for each."""
    if not found.classes:
        whole = _told("Tumour", found.volume_ml, found.largest_diameter_mm, found.slices_with_tumour, found.slices)
        return [whole, *(f"{line[:1].upper()}{line[1:]}." for line in told_trust(found))]
    told = [_told(one.name, one.volume_ml, one.largest_diameter_mm, one.slices, found.slices) for one in found.classes]
    return [*told, *(f"{line}." for line in told_trust(found))]


def comment_of(found: Finding) -> str:
    """Say in one text what was measured, cut off where there are so many classes that DICOM cannot hold it."""
    return f"{' '.join(measured(found))[:_MOST_COMMENT]} {INTENDED_USE}"


def _told(name: str, volume_ml: float | None, largest_mm: float | None, shown: int, slices: int) -> str:
    volume = "volume unknown" if volume_ml is None else f"volume {volume_ml:.1f} ml"
    diameter = "" if largest_mm is None else f", largest diameter {largest_mm:.0f} mm"
    return f"{name}: {volume}{diameter}, in {shown} of {slices} slices."


def write_capture(path: Path, seg: Any, report: Any, picture: NDArray[np.uint8], found: Finding) -> None:
    """Write `(h, w, 3) uint8` RGB as a secondary capture that refers to the images, the SEG and the report."""
    import highdicom as hd
    from pydicom.dataset import Dataset
    from pydicom.sr.codedict import codes

    made = hd.sc.SCImage.from_ref_dataset(
        seg,
        pixel_array=picture,
        photometric_interpretation=hd.PhotometricInterpretationValues.RGB,
        bits_allocated=8,
        coordinate_system=hd.CoordinateSystemNames.PATIENT,
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="edgeseg",
        patient_orientation=("L", "P"),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        manufacturer_model_name="edgeseg",
        software_versions=__version__,
        series_description="edgeseg: research use only",
    )
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ImageComments = comment_of(found)
    made.BurnedInAnnotation, made.PatientOrientation, made.BodyPartExamined = "NO", "", "BRAIN"
    made.DerivationDescription = "Contact sheet with the outline of the automatic segmentation"
    made.SourceImageSequence = [_refer(one) for one in source_references(seg)]
    made.ReferencedInstanceSequence = []
    for one in (seg, report):
        item, purpose = _refer(one), Dataset()
        illustrates = codes.DCM.IllustrationOfROI
        purpose.CodeValue, purpose.CodingSchemeDesignator = illustrates.value, illustrates.scheme_designator
        purpose.CodeMeaning = illustrates.meaning
        item.PurposeOfReferenceCodeSequence = [purpose]
        made.ReferencedInstanceSequence.append(item)
    made.save_as(path, enforce_file_format=True)


def _refer(one: Any) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    return made
