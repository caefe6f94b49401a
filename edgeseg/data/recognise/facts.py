"""What is known of a series before it is opened."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """Description and header of a series; what the files do not tell has its default.

    Attributes:
        description: the series' own words, or the name of a file.
        number: of the series in its study.
        modality: `MR` where nothing else is said.
        image_type: DICOM's words, in capitals, such as `DERIVED` and `MOSAIC`; likewise `scanning` (`SE`, `IR` ...).
        echo_ms: echo time; likewise the times of repetition and of inversion.
        b_value: the largest diffusion weighting in s/mm2.
        contrast: whether the header names a contrast agent.
        body_part: that the header names, where it is another one than the head.
        plane: `axial`, `coronal`, `sagittal`, `mixed`, or nothing where it is unknown.
        slices: how many; 0 where it is unknown.
    """

    description: str
    number: int | None = None
    modality: str = "MR"
    image_type: tuple[str, ...] = ()
    scanning: tuple[str, ...] = ()
    echo_ms: float | None = None
    repetition_ms: float | None = None
    inversion_ms: float | None = None
    b_value: float = 0.0
    contrast: bool = False
    body_part: str = ""
    plane: str = ""
    slices: int = 0
