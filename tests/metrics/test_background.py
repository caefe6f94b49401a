"""What 'no tumour anywhere' scores: patients of unlike size tell the two figures apart."""

from __future__ import annotations

import pytest

from edgeseg.metrics.background import background_accuracy_mean, background_accuracy_pooled
from edgeseg.results.cohort import PatientCount

COUNTS = (
    PatientCount(patient="A", slices=4, tumour_slices=2, pixels=400, tumour_pixels=20),
    PatientCount(patient="B", slices=1, tumour_slices=1, pixels=100, tumour_pixels=50),
)


def test_each_patient_counts_alike_in_the_mean() -> None:
    assert background_accuracy_mean(COUNTS) == pytest.approx((0.95 + 0.5) / 2)


def test_each_pixel_counts_alike_when_pooled() -> None:
    tumour, pixels = (sum(getattr(one, name) for one in COUNTS) for name in ("tumour_pixels", "pixels"))
    assert background_accuracy_pooled(tumour_pixels=tumour, pixels=pixels) == pytest.approx(1 - 70 / 500)
