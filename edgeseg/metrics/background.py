"""What the answer 'no tumour anywhere' scores in pixel accuracy: pixels pooled, or as a mean over patients."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from edgeseg.results.cohort import PatientCount


def background_accuracy_pooled(*, tumour_pixels: int, pixels: int) -> float:
    """Return the share in [0, 1] of `pixels`, all of one set, that are no tumour; each pixel counts alike."""
    return 1.0 - tumour_pixels / pixels


def background_accuracy_mean(counts: Iterable[PatientCount]) -> float:
    """Return the mean over patients of each one's share; each patient counts alike, as in `pixel_accuracy_mean`."""
    return fmean(background_accuracy_pooled(tumour_pixels=c.tumour_pixels, pixels=c.pixels) for c in counts)
