"""The structured report: TID 1500 with volume, largest diameter and slices of the tumour, and which model found it.

A network of several masks has a group of measurements for each. It refers to the segments of the DICOM SEG and to the
series that was segmented, and is in UTF-8 as the SEG is. Where nothing was segmented it says why instead, and refers to
the images that were sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg import __version__
from edgeseg.reports.run import trust_lines
from edgeseg.results import ClassSegmentation, PatientTrust
from edgeseg.specs import INTENDED_USE

_SERIES_NUMBER, _TITLE = 901, "edgeseg: research use only"
_SCHEME = "99EDGESEG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was measured, and by which model; `None` where distances are unknown. `target` is such as `onnx-int8`.

    `classes` are those of a network of several masks, in the order of the segments; all else is of them together.
    `variant` is the slug of the network, and `network` its name, empty where it has none. `trust` is as in
    `PatientSegmentation`.
    """

    volume_ml: float | None
    largest_diameter_mm: float | None
    slices: int
    slices_with_tumour: int
    model_sha256: str
    variant: str
    target: str
    warnings: tuple[str, ...] = ()
    classes: tuple[ClassSegmentation, ...] = ()
    network: str = ""
    trust: PatientTrust | None = None


def told_trust(found: Finding) -> list[str]:
    """Say how far masks are to be trusted, and between what volumes lie; nothing where nobody knows."""
    return [
        *_told(found.trust),
        *(f"{one.name}: {line}" for one in found.classes for line in _told(one.trust)),
    ]


def _told(told: PatientTrust | None) -> list[str]:
    if told is None or told.volume_low_ml is None or told.volume_high_ml is None:
        return trust_lines(told)
    between = f"{told.volume_low_ml:.1f} and {told.volume_high_ml:.1f} ml in {told.coverage:.0%} of such patients"
    return [*trust_lines(told), f"the volume lies between {between}"]


def write_report(path: Path, seg: Any, found: Finding) -> None:
    """Write the report on a SEG, which is a data set of pydicom as edgeseg writes it."""
    sources = source_references(seg)
    parts: Sequence[Finding | ClassSegmentation] = found.classes or (found,)
    groups = [
        _group(seg, segment, sources[0].SeriesInstanceUID, found, part)
        for segment, part in zip(seg.SegmentSequence, parts, strict=True)
    ]
    comments = [INTENDED_USE, *told_trust(found), *found.warnings]
    made = _document([seg, *sources], _content(found.model_sha256, groups, comments))
    made.save_as(path, enforce_file_format=True)


def _group(seg: Any, segment: Any, series_uid: str, found: Finding, part: Finding | ClassSegmentation) -> Any:
    """Tell what was measured of one segment, in the segment's own words."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    return hd.sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=segment.TrackingUID, identifier=segment.TrackingID),
        referenced_segment=hd.sr.ReferencedSegment(
            sop_class_uid=seg.SOPClassUID,
            sop_instance_uid=seg.SOPInstanceUID,
            segment_number=int(segment.SegmentNumber),
            source_series=hd.sr.SourceSeriesForSegmentation(series_uid),
        ),
        finding_type=_coded(segment.SegmentedPropertyTypeCodeSequence),
        finding_category=_coded(segment.SegmentedPropertyCategoryCodeSequence),
        finding_sites=[hd.sr.FindingSite(anatomic_location=codes.SCT.Brain)],
        algorithm_id=hd.sr.AlgorithmIdentification(
            name="edgeseg",
            version=__version__,
            parameters=[
                f"model_sha256={found.model_sha256}",
                f"variant={found.variant}",
                f"target={found.target}",
                *([f"network={found.network}"] if found.network else []),
            ],
        ),
        measurements=_measurements(part, found.slices),
    )


def _coded(sequence: Any) -> Any:
    import highdicom as hd

    return hd.sr.CodedConcept(sequence[0].CodeValue, sequence[0].CodingSchemeDesignator, sequence[0].CodeMeaning)


def write_refusal(path: Path, images: Sequence[Any], reason: str, model_sha256: str) -> None:
    """Write a report that says why nothing was segmented.

    Args:
        path: of the file.
        images: headers of what was sent, at least one; patient and study are those of the first.
        reason: one line without names of files or patients.
        model_sha256: of the model that would have done it.
    """
    import highdicom as hd

    evaluation = hd.sr.QualitativeEvaluation(
        name=hd.sr.CodedConcept("not-segmented", _SCHEME, "Not segmented"),
        value=hd.sr.CodedConcept("unusable", _SCHEME, "The study cannot be segmented"),
    )
    sources = [_reference(images[0].StudyInstanceUID, one.SeriesInstanceUID, one) for one in images]
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=hd.UID(), identifier="edgeseg"),
        qualitative_evaluations=[evaluation],
        source_images=[hd.sr.SourceImageForMeasurementGroup(one.SOPClassUID, one.SOPInstanceUID) for one in sources],
    )
    comments = [INTENDED_USE, f"Nothing was segmented: {reason}"]
    content = _content(model_sha256, [group], comments)
    made = _document([images[0], *sources[1:]], content)
    made.save_as(path, enforce_file_format=True)


def source_references(seg: Any) -> list[Any]:
    """Give the images that a SEG refers to as data sets that hold their identifiers alone."""
    series = seg.ReferencedSeriesSequence[0]
    found = []
    for one in series.ReferencedInstanceSequence:
        named = _Named(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID)
        found.append(_reference(seg.StudyInstanceUID, series.SeriesInstanceUID, named))
    return found


@dataclass(frozen=True)
class _Named:
    SOPClassUID: str
    SOPInstanceUID: str


def _reference(study: str, series: str, one: Any) -> Any:
    from pydicom.dataset import Dataset

    made = Dataset()
    made.StudyInstanceUID, made.SeriesInstanceUID = study, series
    made.SOPClassUID, made.SOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
    return made


def _measurements(found: Finding | ClassSegmentation, slices: int) -> list[Any]:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    made = []
    if found.volume_ml is not None:
        made.append(
            hd.sr.Measurement(
                name=codes.SCT.Volume, value=round(found.volume_ml, 3), unit=hd.sr.CodedConcept("mL", "UCUM", "mL")
            )
        )
    if found.largest_diameter_mm is not None:
        largest = round(found.largest_diameter_mm, 2)
        made.append(hd.sr.Measurement(name=codes.SCT.LongAxis, value=largest, unit=codes.UCUM.Millimeter))
    one = hd.sr.CodedConcept("1", "UCUM", "no units")
    for value, code, meaning in (
        _shown(found),
        (slices, "slices", "Slices segmented"),
    ):
        made.append(hd.sr.Measurement(name=hd.sr.CodedConcept(code, _SCHEME, meaning), value=value, unit=one))
    return made


def _shown(found: Finding | ClassSegmentation) -> tuple[int, str, str]:
    """Give in how many slices something was found, with the code for it."""
    if isinstance(found, Finding):
        return found.slices_with_tumour, "slices-with-tumour", "Slices with tumour"
    return found.slices, "slices-with-segment", "Slices with the segment"


def _content(model_sha256: str, groups: list[Any], comments: Sequence[str]) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=generate_uid(entropy_srcs=["edgeseg", model_sha256]),
        name="edgeseg",
        manufacturer_name="edgeseg",
        model_name=f"edgeseg {__version__}",
        serial_number=model_sha256,
    )
    observer = hd.sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    context = hd.sr.ObservationContext(observer_device_context=observer)
    report = hd.sr.MeasurementReport(
        observation_context=context,
        procedure_reported=hd.sr.CodedConcept("24590-2", "LN", "Brain MRI"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    measured = next(one for one in report[0].ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "126010")
    told = hd.sr.CodedConcept("121106", "DCM", "Comment")
    relation = hd.sr.RelationshipTypeValues.CONTAINS
    for text in comments:
        item = hd.sr.TextContentItem(name=told, value=text[:1000], relationship_type=relation)
        measured.ContentSequence[0].ContentSequence.append(item)
    return report


def _document(evidence: list[Any], content: Any) -> Any:
    import highdicom as hd
    from pydicom.dataset import Dataset

    made = hd.sr.ComprehensiveSR(
        evidence=evidence,
        content=content,
        series_instance_uid=hd.UID(),
        series_number=_SERIES_NUMBER,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="edgeseg",
        is_complete=True,
        is_final=False,
        manufacturer_model_name="edgeseg",
        software_versions=__version__,
        series_description=_TITLE,
    )
    made.SpecificCharacterSet = "ISO_IR 192"
    made.CompletionFlagDescription = "Automatic; research use only"
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = _SCHEME, "Codes of edgeseg"
    scheme.CodingSchemeResponsibleOrganization = "edgeseg"
    made.CodingSchemeIdentificationSequence = [scheme]
    return made
