"""The segments of a DICOM SEG: their labels, codes and colours, and who drew them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import __version__
from edgeseg.specs import MaskRegion, SegmentCodes, colours, segment_codes

_TUMOUR, _COLOUR_RGB = "Tumour", (255, 60, 40)
"""The segment of a network of one mask, in the colour of the outline of `pictures`."""
_MAX_LABEL = 64
EMPTY = "Nothing of it was found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One segment: its label, what tracks it from file to file, its codes, and its colour, RGB."""

    label: str
    tracked_as: str
    codes: SegmentCodes
    colour: tuple[int, int, int]


def segments_of(regions: Sequence[MaskRegion]) -> tuple[Segment, ...]:
    """Return a segment for each region, in their order; one of a tumour where there are none."""
    if not regions:
        tracked_as = f"edgeseg {_TUMOUR.lower()}"
        return (Segment(label=_TUMOUR, tracked_as=tracked_as, codes=segment_codes(_TUMOUR), colour=_COLOUR_RGB),)
    return tuple(
        Segment(
            label=label,
            tracked_as=f"edgeseg {label}",
            codes=segment_codes(region.name, region.code),
            colour=colour,
        )
        for region, label, colour in zip(regions, _labels(regions), colours(regions), strict=True)
    )


def descriptions(segments: Sequence[Segment], series_uid: str, model_sha256: str) -> list[Any]:
    """Describe segments for highdicom; one model and series give one tracking UID for each."""
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.uid import generate_uid

    algorithm = hd.AlgorithmIdentificationSequence(
        name="edgeseg",
        version=__version__,
        family=codes.DCM.ArtificialIntelligence,
        parameters={"model_sha256": model_sha256 or "unknown"},
    )
    return [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=segment.label,
            segmented_property_category=hd.sr.CodedConcept(*segment.codes.category),
            segmented_property_type=hd.sr.CodedConcept(*segment.codes.type),
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
            tracking_id=segment.tracked_as,
            tracking_uid=generate_uid(entropy_srcs=[segment.tracked_as, series_uid, model_sha256]),
            anatomic_regions=[codes.SCT.Brain],
            display_color=hd.color.CIELabColor.from_rgb(*segment.colour),
        )
        for number, segment in enumerate(segments, start=1)
    ]


def say_empty(made: Any, stack: NDArray[np.uint8]) -> None:
    """Say in a SEG which of its segments have no pixel; `stack` is `(frames, rows, columns, segments)`."""
    for number, segment in enumerate(made.SegmentSequence):
        if not stack[..., number].any():
            segment.SegmentDescription = EMPTY


def _labels(regions: Sequence[MaskRegion]) -> list[str]:
    """Give the names as DICOM takes them: 64 characters of print without a backslash, each once."""
    labels: list[str] = []
    for number, region in enumerate(regions, start=1):
        plain = "".join(one if one.isprintable() and one != "\\" else " " for one in region.name)
        label = plain.strip()[:_MAX_LABEL].strip() or str(number)
        labels.append(f"{label[: _MAX_LABEL - 4]} {number}" if label in labels else label)
    return labels
