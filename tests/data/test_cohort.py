"""A data set, counted patient by patient."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.data.cohort import count_cohort
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError
from edgeseg.results.cohort import PatientCount
from edgeseg.specs import LGG, ChannelSet


class Heads:
    """Two patients of 4 slices of 10 x 10: one with 20 tumour pixels on 2 slices, one without."""

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()
    name = "heads"
    patients = ("A", "B")

    def __init__(self, *, masked: bool = True) -> None:
        self.masked = masked

    def institution(self, patient: str) -> str:
        return ""

    def volume(self, patient: str) -> Volume:
        masks = np.zeros((4, 10, 10), bool)
        if patient == "A":
            masks[1:3, 0] = True
        return Volume(
            patient=patient,
            institution="",
            images=np.zeros((4, 10, 10, 3), np.uint8),
            masks=masks if self.masked else None,
            slice_names=("1", "2", "3", "4"),
        )


class Nobody(Heads):
    patients = ()  # type: ignore[assignment]


def test_a_data_set_is_counted_patient_by_patient() -> None:
    seen: list[tuple[int, int | None]] = []
    counted = count_cohort(Heads(), progress=lambda *at: seen.append(at[:2]))
    assert counted.patients[0] == PatientCount(patient="A", slices=4, tumour_slices=2, pixels=400, tumour_pixels=20)
    assert counted.patients[1].tumour_slices == 0
    assert seen == [(1, 2), (2, 2)]


def test_a_data_set_without_masks_or_patients_is_refused() -> None:
    with pytest.raises(DatasetError, match="no reference masks"):
        count_cohort(Heads(masked=False))
    with pytest.raises(DatasetError, match="no patients"):
        count_cohort(Nobody())
