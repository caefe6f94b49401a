"""What is counted of each class of a patient, slice by slice."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.results import ClassSegmentation
from edgeseg.specs import MaskRegion
from edgeseg.stages.segment.measure import area_mm2, largest_diameter_mm


class ClassTally:
    """Counts the masks of one patient's slices; without regions there is nothing to count."""

    def __init__(self, regions: tuple[MaskRegion, ...], pixel_mm: tuple[float, float] | None) -> None:
        """Begin with none."""
        self._regions, self._pixel_mm = regions, pixel_mm
        self._pixels = np.zeros(len(regions), np.int64)
        self._slices = np.zeros(len(regions), np.int64)
        self._largest_mm = [0.0] * len(regions)

    def add(self, masks: NDArray[np.bool_]) -> None:
        """Count one slice, `(h, w, R) bool`."""
        for number in range(len(self._regions)):
            mask = masks[..., number]
            pixels = int(np.count_nonzero(mask))
            self._pixels[number] += pixels
            self._slices[number] += pixels > 0
            largest = largest_diameter_mm(mask, self._pixel_mm) or 0.0
            self._largest_mm[number] = max(self._largest_mm[number], largest)

    def found(self, slice_mm: float | None) -> tuple[ClassSegmentation, ...]:
        """Give what was counted; `slice_mm` is the distance of slices, None where it is unknown."""
        return tuple(
            ClassSegmentation(
                name=region.name,
                label=region.label,
                pixels=int(self._pixels[number]),
                volume_ml=self._volume_ml(number, slice_mm),
                slices=int(self._slices[number]),
                largest_diameter_mm=None if self._pixel_mm is None else self._largest_mm[number],
            )
            for number, region in enumerate(self._regions)
        )

    def absent(self) -> list[str]:
        """Say which classes no pixel is of, in one sentence at most."""
        absent = [region.name for number, region in enumerate(self._regions) if not self._pixels[number]]
        return [f"nothing was found of {', '.join(absent)}"] if absent else []

    def _volume_ml(self, number: int, slice_mm: float | None) -> float | None:
        area = area_mm2(int(self._pixels[number]), self._pixel_mm)
        return None if area is None or slice_mm is None else area * slice_mm / 1e3
