"""What a DICOM result keeps when it is de-identified: the basic profile of PS3.15, with dates that are moved.

Only what stands here is kept at the top of a data set; all else goes. `docs/reference/de-identification.md` lists it,
and a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What is done with an attribute; letters are those of PS3.15, table E.1-1."""

    KEPT = "K: kept; edgeseg wrote it, or it says nothing of a person"
    UID = "U: another UID, the same for the same one under one salt"
    MOVED = "C: the date, moved by days that the salt and the patient decide"
    PSEUDONYM = "D: the pseudonym"
    EMPTY = "Z: empty"
    MIDNIGHT = "D: midnight"


_OF_THE_SOURCE = {
    "PatientName": Action.PSEUDONYM, "PatientID": Action.PSEUDONYM, "PatientBirthDate": Action.EMPTY,
    "PatientSex": Action.EMPTY, "StudyInstanceUID": Action.UID, "StudyDate": Action.MOVED, "StudyTime": Action.EMPTY,
    "StudyID": Action.EMPTY, "AccessionNumber": Action.EMPTY, "ReferringPhysicianName": Action.EMPTY,
    "FrameOfReferenceUID": Action.UID, "PositionReferenceIndicator": Action.EMPTY,
    "SourceImageSequence": Action.KEPT, "ReferencedSeriesSequence": Action.KEPT,
    "CurrentRequestedProcedureEvidenceSequence": Action.KEPT, "ReferencedInstanceSequence": Action.KEPT,
}  # fmt: skip
_OF_THE_RESULT = {
    "SOPInstanceUID": Action.UID, "SeriesInstanceUID": Action.UID, "DimensionOrganizationSequence": Action.KEPT,
    "InstanceCreationDate": Action.MOVED, "SeriesDate": Action.MOVED, "ContentDate": Action.MOVED,
    "InstanceCreationTime": Action.MIDNIGHT, "SeriesTime": Action.MIDNIGHT, "ContentTime": Action.MIDNIGHT,
    "ContentCreatorName": Action.EMPTY, "PerformedProcedureCodeSequence": Action.KEPT,
    "ReferencedPerformedProcedureStepSequence": Action.KEPT,
} | dict.fromkeys((
    "SpecificCharacterSet", "ImageType", "SOPClassUID", "Modality", "ConversionType", "Manufacturer",
    "ManufacturerModelName", "SeriesDescription", "DeviceSerialNumber", "SoftwareVersions", "SeriesNumber",
    "InstanceNumber", "ImageComments", "ContentLabel", "ContentDescription", "BodyPartExamined", "Laterality",
    "PatientOrientation", "BurnedInAnnotation", "DerivationDescription", "SamplesPerPixel",
    "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "LossyImageCompression", "SegmentationType", "SegmentSequence",
    "SegmentsOverlap", "DimensionOrganizationType", "DimensionIndexSequence", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "PixelData", "RecognizableVisualFeatures", "PresentationLUTShape",
    "CompletionFlag", "CompletionFlagDescription", "VerificationFlag", "PreliminaryFlag", "ValueType",
    "ConceptNameCodeSequence", "ContinuityOfContent", "ContentTemplateSequence", "ContentSequence",
    "CodingSchemeIdentificationSequence",
), Action.KEPT)  # fmt: skip
KEPT: Mapping[str, Action] = _OF_THE_SOURCE | _OF_THE_RESULT
"""By the keyword of an attribute at the top of a data set."""
WITHIN = (
    "In sequences every UID is replaced but those of the standard, names of persons are empty, dates are moved and "
    "times midnight; geometry, codes, measurements and the text of edgeseg stay."
)
METHOD = "edgeseg: basic profile of PS3.15, dates moved"
PROFILE = (
    ("113100", "Basic Application Confidentiality Profile"),
    ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
)
"""Codes of the profile and its option, of the scheme DCM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRow:
    """One line of the list of what is kept."""

    keyword: str
    action: str


def kept_rows() -> tuple[KeptRow, ...]:
    """List what is kept, in the order of the names."""
    return tuple(KeptRow(keyword=name, action=KEPT[name].value) for name in sorted(KEPT))
