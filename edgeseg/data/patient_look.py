"""What one patient's files are like: everything that is wrong with them, and the pictures to compare with others'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.artifacts import sha256_bytes
from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.layouts.whole_set import WholeSet
from edgeseg.data.listing import FolderDataset, SliceFiles
from edgeseg.data.slice_file import decode_mask, read_slice
from edgeseg.errors import DataError, ImageError, MaskError

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `level` is `error` (the patient cannot be used as it is) or `warning`. `kind` is one of `no-slices`, `no-tumour`,
    `misplaced-file`, `missing-mask`, `mask-without-slice`, `unreadable-slice`, `unreadable-mask`, `wrong-shape`,
    `repeated-number`, `gap`, `duplicate-slice`, `unreadable-patient` (where channels are files of their own, patients
    are read whole), `equal-channels` and `absent-class` (no patient has it). `where` is the file, or the patient where
    no file is at fault.
    """

    level: str
    kind: str
    patient: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A slice that is not of one value throughout: its file or patient, its name, and the SHA-256 of its pixels."""

    patient: str
    where: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientLook:
    """What was found in one patient, in the order of the files.

    `slices` counts those that could be read; `present` says of each class whether the patient has it, and is empty
    where that was not looked at.
    """

    patient: str
    slices: int
    found: tuple[Finding | Picture, ...]
    present: tuple[bool, ...] = ()


def look_at(dataset: StoredDataset, patient: str) -> PatientLook:
    """Read every file of one patient once."""
    look = _Case(dataset, patient) if isinstance(dataset, WholeSet) else _Slices(dataset, patient)
    look.read()
    return PatientLook(patient=patient, slices=look.slices, found=tuple(look.found), present=look.present)


class _Look:
    """What was found so far."""

    def __init__(self, root: Path, patient: str) -> None:
        self.found: list[Finding | Picture] = []
        self.slices = 0
        self.present: tuple[bool, ...] = ()
        self._root, self._patient = root, patient
        self._grey = True

    def _picture(self, where: Path | str, name: str, image: NDArray[np.uint8]) -> None:
        self._grey = self._grey and image.shape[-1] > 1 and bool((image == image[..., :1]).all())
        if image.min() != image.max():
            digest = sha256_bytes(image.tobytes())
            self.found.append(Picture(patient=self._patient, where=self._place(where), name=name, sha256=digest))

    def _say_grey(self) -> None:
        """Warn where no channel tells anything that another does not."""
        if self.slices and self._grey:
            self._add(
                "equal-channels",
                self._patient,
                "all channels hold the same values, as of grey pictures that were saved in colour; save them in grey",
                level=WARNING,
            )

    def _add(self, kind: str, where: Path | str | None, message: str, *, level: str = ERROR) -> None:
        place = self._place(where or self._patient)
        self.found.append(Finding(level=level, kind=kind, patient=self._patient, where=place, message=message))

    def _place(self, where: Path | str) -> str:
        return str(where.relative_to(self._root)) if isinstance(where, Path) else where


class _Case(_Look):
    """A patient whose channels are files of their own: it is read whole, as training reads it."""

    def __init__(self, dataset: WholeSet, patient: str) -> None:
        super().__init__(dataset.root, patient)
        self._dataset = dataset

    def read(self) -> None:
        """Add what is wrong with the patient."""
        patient = self._patient
        try:
            volume = self._dataset.volume(patient)
        except DataError as error:
            message, where = str(error), next((f for f in self._dataset.files(patient) if f"{f}: " in str(error)), None)
            message = message if where is None else _without_path(error, where)
            self._add("unreadable-patient", where, message.replace(f" of {patient}", ""))
            return
        self.slices += len(volume.images)
        classes = max(1, len(self._dataset.classes))
        shown = np.asarray(volume.reference.reshape(-1, classes).any(axis=0))
        self.present = tuple(bool(one) for one in shown)
        if not any(self.present):
            self._add("no-tumour", patient, "the patient's mask is empty", level=WARNING)
        for name, image in zip(volume.slice_names, volume.images, strict=True):
            self._picture(patient, name, image)
        self._say_grey()


class _Slices(_Look):
    """A patient in pictures that hold all channels: each file is read by itself."""

    def __init__(self, dataset: FolderDataset, patient: str) -> None:
        super().__init__(dataset.root, patient)
        self._dataset = dataset

    def read(self) -> None:
        """Add what is wrong with the patient."""
        patient = self._patient
        files = self._dataset.slice_files(patient)
        for path in self._dataset.misplaced_files(patient):
            self._add("misplaced-file", path, "its name fits no slice of this patient")
        if not any(entry.image for entry in files):
            self._add("no-slices", patient, "the patient has no slices")
        for message, kind, where in _numbering(files):
            self._add(kind, where, message)
        shape: tuple[int, int] | None = None
        tumour, readable_masks = False, False
        for entry in files:
            image = self._slice(entry)
            if image is not None:
                found = (image.shape[0], image.shape[1])
                shape = shape or found
                if found != shape:
                    self._add("wrong-shape", entry.image, f"{_size(found)}; the patient's first is {_size(shape)}")
            mask = self._mask(entry, image)
            readable_masks = readable_masks or mask is not None
            tumour = tumour or (mask is not None and bool(mask.any()))
        if readable_masks and not tumour:
            self._add("no-tumour", patient, "no mask of the patient holds tumour", level=WARNING)
        self._say_grey()

    def _slice(self, entry: SliceFiles) -> NDArray[np.uint8] | None:
        if entry.image is None:
            self._add("mask-without-slice", entry.mask, "this mask has no slice")
            return None
        try:
            image = read_slice(entry.image)
        except ImageError as error:
            self._add("unreadable-slice", entry.image, _without_path(error, entry.image))
            return None
        self.slices += 1
        self._picture(entry.image, entry.image.name, image)
        return image

    def _mask(self, entry: SliceFiles, image: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
        if entry.mask is None:
            self._add("missing-mask", entry.image, "this slice has no mask")
            return None
        try:
            mask = decode_mask(entry.mask)
        except MaskError as error:
            self._add("unreadable-mask", entry.mask, _without_path(error, entry.mask))
            return None
        if image is not None and mask.shape != image.shape[:2]:
            found, wanted = (mask.shape[0], mask.shape[1]), (image.shape[0], image.shape[1])
            self._add("wrong-shape", entry.mask, f"{_size(found)}; its slice is {_size(wanted)}")
        return mask


def _numbering(files: tuple[SliceFiles, ...]) -> Iterator[tuple[str, str, Path | None]]:
    """Message, kind and file of every number that is there twice or left out, where names carry numbers."""
    before: int | None = 0
    for entry in files:
        number = entry.number
        if number is None or before is None:
            return
        path = entry.image or entry.mask
        if number == before:
            yield f"slice {number} is there twice", "repeated-number", path
        elif number > before + 1:
            gone = f"slice {before + 1} is" if number == before + 2 else f"slices {before + 1} to {number - 1} are"
            yield f"{gone} missing before it", "gap", path
        before = number


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


def _without_path(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")
