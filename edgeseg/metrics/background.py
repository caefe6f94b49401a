"""What the answer 'no tumour anywhere' scores."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from edgeseg.results.cohort import PatientCount


def background_accuracy(counts: Iterable[PatientCount]) -> float:
    """Return the pixel accuracy of the answer 'no tumour anywhere', as a mean over patients."""
    return fmean(1.0 - c.tumour_pixels / c.pixels for c in counts)
