"""What a data set holds, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from edgeseg.data.split import SplitPatient, describe
from edgeseg.data.volume import Dataset, volumes
from edgeseg.metrics.background import background_accuracy_pooled
from edgeseg.progress import Progress

SUMMARY_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionSummary:
    """The patients of one institution together."""

    institution: str
    patients: int
    slices: int
    tumour_slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSummary:
    """How many slices have one size."""

    height: int
    width: int
    slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSummary:
    """How many patients have a class, and which share of all pixels it is."""

    name: str
    patients: int
    pixel_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSummary:
    """A data set in figures.

    `tumour_pixel_share` is the share of all pixels that are tumour. `all_background_accuracy` is one minus that: the
    pixel accuracy, pooled over all patients, of an answer that never finds anything, which is why pixel accuracy says
    nothing here. `classes` is empty where masks tell tumour from the rest alone.
    """

    data: str
    patients: int
    patients_without_tumour: int
    slices: int
    tumour_slices: int
    fewest_slices: int
    most_slices: int
    tumour_pixel_share: float
    all_background_accuracy: float
    sizes: tuple[SizeSummary, ...]
    institutions: tuple[InstitutionSummary, ...]
    channels: tuple[str, ...] = ()
    classes: tuple[ClassSummary, ...] = ()
    schema_version: int = SUMMARY_SCHEMA_VERSION


def summarise(dataset: Dataset, *, progress: Progress | None = None) -> DataSummary:
    """Read a data set once and count.

    Raises:
        DataError: when a patient cannot be read.
    """
    entries: list[SplitPatient] = []
    sizes: Counter[tuple[int, int]] = Counter()
    of_class = np.zeros((len(dataset.classes), 2), np.int64)
    for volume in volumes(dataset):
        entries.append(describe(volume))
        count, height, width = volume.images.shape[:3]
        sizes[height, width] += count
        if dataset.classes:
            shown = volume.reference.reshape(-1, len(dataset.classes)).sum(axis=0)
            of_class += np.stack([shown > 0, shown], axis=-1)
        if progress is not None:
            progress(len(entries), len(dataset.patients), volume.patient)
    pixels = sum(height * width * count for (height, width), count in sizes.items())
    tumour_pixels = sum(entry.tumour_pixels for entry in entries)
    return DataSummary(
        data=dataset.name,
        patients=len(entries),
        patients_without_tumour=sum(entry.tumour_pixels == 0 for entry in entries),
        slices=sum(entry.slices for entry in entries),
        tumour_slices=sum(entry.tumour_slices for entry in entries),
        fewest_slices=min(entry.slices for entry in entries),
        most_slices=max(entry.slices for entry in entries),
        tumour_pixel_share=tumour_pixels / pixels,
        all_background_accuracy=background_accuracy_pooled(tumour_pixels=tumour_pixels, pixels=pixels),
        sizes=tuple(SizeSummary(height=h, width=w, slices=count) for (h, w), count in sizes.most_common()),
        institutions=tuple(_institution(name, entries) for name in sorted({entry.institution for entry in entries})),
        channels=dataset.channels.names,
        classes=tuple(
            ClassSummary(name=name, patients=int(patients), pixel_share=float(found / pixels))
            for name, (patients, found) in zip(dataset.classes, of_class, strict=True)
        ),
    )


def _institution(name: str, entries: list[SplitPatient]) -> InstitutionSummary:
    members = [entry for entry in entries if entry.institution == name]
    return InstitutionSummary(
        institution=name,
        patients=len(members),
        slices=sum(entry.slices for entry in members),
        tumour_slices=sum(entry.tumour_slices for entry in members),
    )
