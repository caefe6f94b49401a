"""What every reader gives: one patient's slices as a volume, and the protocol of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

KAGGLE_LGG, PHANTOM = "kaggle-lgg", "phantom"
"""Names of data sets: the real one that edgeseg is developed on, and the made-up one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """One patient.

    Attributes:
        patient: the patient's id.
        institution: a short code, or "" where the data set has none.
        images: `(N, H, W, 3) uint8`, channels = pre, FLAIR, post, slices in anatomical order.
        masks: `(N, H, W) bool`, True = tumour; None where no reference exists.
        slice_names: N names, unique within the patient, as the files have them.
    """

    patient: str
    institution: str
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_] | None
    slice_names: tuple[str, ...]

    @property
    def reference(self) -> NDArray[np.bool_]:
        """The masks of a volume that must have them."""
        assert self.masks is not None, f"{self.patient} has no reference masks"
        return self.masks


class Dataset(Protocol):
    """Patients by id; volumes are read one at a time, when asked for."""

    @property
    def name(self) -> str:
        """`kaggle-lgg`, `phantom`, or the folder's name."""

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""

    def institution(self, patient: str) -> str:
        """The patient's institution, or ""."""

    def volume(self, patient: str) -> Volume:
        """Read one patient whole."""


def volumes(dataset: Dataset, patients: tuple[str, ...] | None = None) -> Iterator[Volume]:
    """Read patients one after another, so that only one is in memory."""
    for patient in dataset.patients if patients is None else patients:
        yield dataset.volume(patient)
