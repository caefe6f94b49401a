"""Patients as cases: a source for each channel and one for the mask, all on one grid; read one patient at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.grey_range import grey_range
from edgeseg.data.labels import Labels, whole
from edgeseg.data.layouts.source import PictureLabels, Source, require_files
from edgeseg.data.layouts.whole_set import WholeSet, shown, slice_numbers
from edgeseg.data.listing import require_patient
from edgeseg.data.sequence import Sequence
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError, MaskError
from edgeseg.specs import ChannelSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One patient: a source for each channel of the set, in its order; `names` of slices, empty for `slice_001` ..."""

    patient: str
    images: tuple[Source, ...]
    mask: Source
    site: str = ""
    names: tuple[str, ...] = ()


class CaseSet(WholeSet):
    """Patients in files that hold one channel each."""

    def __init__(
        self, root: Path, *, name: str, channels: ChannelSet, labels: Labels, cases: Iterable[Case], layout: str
    ) -> None:
        """Take the cases; no file is read yet. A link counts as the file that it leads to.

        Raises:
            DatasetError: when there are none, a patient is there twice, or two patients have one image.
        """
        self._cases: dict[str, Case] = {}
        of: dict[Path, str] = {}
        for case in cases:
            if case.patient in self._cases:
                raise DatasetError(f"{root}: patient '{case.patient}' is there twice; give each patient once")
            self._cases[case.patient] = case
            for file in (file for source in case.images for file in source.files):
                if (other := of.setdefault(file.resolve(), case.patient)) != case.patient:
                    raise DatasetError(
                        f"{root}: {file.name} is an image of two patients, '{other}' and '{case.patient}', who would "
                        "be learned from and scored as strangers; give each image to one"
                    )
        if not self._cases:
            raise DatasetError(f"{root}: no patient is there; the layout '{layout}' was expected")
        sites = {patient: case.site for patient, case in self._cases.items()}
        super().__init__(root, name=name, channels=channels, labels=labels, layout=layout, sites=sites)

    def files(self, patient: str) -> tuple[Path, ...]:
        """All files of a patient, the mask's last."""
        require_patient(self, patient)
        case = self._cases[patient]
        return tuple(file for source in (*case.images, case.mask) for file in source.files)

    def volume(self, patient: str) -> Volume:
        """Read one patient whole, seen and brought to bytes as the runner does it.

        Raises:
            ImageError: when a channel is missing or damaged, or not on the first one's grid.
            MaskError: when the mask is missing, on another grid, or holds what is no label of the set.
            DatasetError: when a volume cannot be used.
        """
        require_patient(self, patient)
        case = self._cases[patient]
        with contextlib.ExitStack() as opened:
            images, first = self._images(case, opened)
            masks = self._masks(case, first, opened)
        volume = Volume(
            patient=patient,
            institution=case.site,
            images=images,
            masks=masks,
            slice_names=case.names or slice_numbers(len(images)),
            channels=self.channels.names,
            classes=self.classes,
            spacing_mm=None if first.grid is None else first.grid.spacing_mm,
        )
        return shown(volume)

    def _images(self, case: Case, opened: contextlib.ExitStack) -> tuple[NDArray[np.uint8], Sequence]:
        first: Sequence | None = None
        images = np.empty(0, np.uint8)
        for place, (name, source) in enumerate(zip(self.channels.names, case.images, strict=True)):
            require_files(source, case.patient, f"channel '{name}'")
            sequence = source.open()
            opened.callback(sequence.close)
            if first is None:
                first = sequence
                images = np.empty((*sequence.shape, len(self.channels.names)), np.uint8)
            elif odd := _apart(sequence, first):
                raise DatasetError(
                    f"{sequence.source}: channel '{name}' of {case.patient} {odd} '{self.channels.names[0]}'; all "
                    "channels of a patient must lie on one grid; resample them first"
                )
            found = grey_range(sequence)
            for index in range(sequence.shape[0]):
                images[index, :, :, place] = found.plane(index)
        assert first is not None
        return images, first

    def _masks(self, case: Case, first: Sequence, opened: contextlib.ExitStack) -> NDArray[np.bool_]:
        require_files(case.mask, case.patient, "the mask")
        sequence = case.mask.open()
        opened.callback(sequence.close)
        if odd := _apart(sequence, first):
            raise MaskError(
                f"{sequence.source}: the mask of {case.patient} {odd} its images; masks are never resampled, so export "
                "it on their grid"
            )
        planes = (_plane(sequence, index, case, first) for index in range(sequence.shape[0]))
        maps = np.stack([whole(plane, sequence.source) for plane in planes])
        return self.labels.masks(maps, sequence.source)


def _plane(sequence: Sequence, index: int, case: Case, first: Sequence) -> NDArray[np.float64]:
    plane = sequence.plane(index)
    if plane.shape != first.shape[1:]:
        file = case.mask.files[index] if isinstance(case.mask, PictureLabels) else sequence.source
        raise MaskError(
            f"{file}: the mask is {plane.shape[0]} x {plane.shape[1]} and its slice {first.shape[1]} x "
            f"{first.shape[2]}; both must have one size; export the mask on the grid of the slice"
        )
    return plane


def _apart(one: Sequence, other: Sequence) -> str:
    """Say how two sequences differ in where they lie; nothing where they do not."""
    if one.shape != other.shape:
        mine, theirs = (f"{s} slices of {h} x {w}" for s, h, w in (one.shape, other.shape))
        return f"has {mine}, and {theirs} have"
    if one.grid is not None and other.grid is not None and not one.grid.same_as(other.grid):
        return "lies elsewhere in the patient, by its header, than"
    return ""
