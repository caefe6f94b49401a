"""A data set, counted patient by patient."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientCount:
    """The slices and pixels of one patient in a data set."""

    patient: str
    slices: int
    tumour_slices: int
    pixels: int
    tumour_pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """A data set, counted."""

    name: str
    patients: tuple[PatientCount, ...]
