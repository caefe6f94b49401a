"""What every reader gives: one patient's slices as a volume, and the protocol of a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs import AXIAL, LGG, ChannelSet

KAGGLE_LGG, PHANTOM = "kaggle-lgg", "phantom"
"""Names of data sets: the real one that edgeseg is developed on, and the made-up one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Volume:
    """One patient.

    Attributes:
        patient: the patient's id.
        institution: a short code, or "" where the data set has none.
        images: `(N, H, W, C) uint8`, NHWC, C channels in the order of `channels`, slices in anatomical order.
        masks: `(N, H, W) bool`, True = tumour; `(N, H, W, K) bool` where `classes` names K classes, which may overlap;
            None where no reference exists.
        slice_names: N names, unique within the patient, as the files have them.
        channels: names of the channels.
        classes: names of the K classes; empty where there is one, tumour.
        spacing_mm: distances of slices, rows and columns; None where they are unknown.
        plane: the one of `edgeseg.specs.PLANES` in which the slices lie.
    """

    patient: str
    institution: str
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_] | None
    slice_names: tuple[str, ...]
    channels: tuple[str, ...] = LGG.names
    classes: tuple[str, ...] = ()
    spacing_mm: tuple[float, float, float] | None = None
    plane: str = AXIAL

    @property
    def reference(self) -> NDArray[np.bool_]:
        """The masks of a volume that must have them."""
        assert self.masks is not None, f"{self.patient} has no reference masks"
        return self.masks

    @property
    def tumour(self) -> NDArray[np.bool_]:
        """`(N, H, W)`, pixels of any class, of a volume that must have masks."""
        reference = self.reference
        return np.asarray(reference.any(axis=-1)) if reference.ndim == 4 else reference


class Dataset(Protocol):
    """Patients by id; volumes are read one at a time, when asked for."""

    @property
    def name(self) -> str:
        """`kaggle-lgg`, `phantom`, or the folder's name."""

    @property
    def channels(self) -> ChannelSet:
        """The channels of its slices."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of what its masks tell apart, where that is more than tumour and not tumour; else empty."""

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
