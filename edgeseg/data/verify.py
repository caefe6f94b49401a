"""Look through a data set file by file and name everything that is wrong, instead of stopping at the first."""

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
from edgeseg.progress import Progress

VERIFY_SCHEMA_VERSION = 1
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    `level` is `error` (the patient cannot be used as it is) or `warning`. `kind` is one of `no-slices`, `no-tumour`,
    `misplaced-file`, `missing-mask`, `mask-without-slice`, `unreadable-slice`, `unreadable-mask`, `wrong-shape`,
    `repeated-number`, `gap`, `duplicate-slice`, `unreadable-patient` (where channels are files of their own, patients
    are read whole) and `absent-class` (no patient has it). `where` is the file, or the patient where no file is at
    fault.
    """

    level: str
    kind: str
    patient: str
    where: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyResult:
    """What was looked at and what was found; `slices` counts those that could be read."""

    data: str
    root: str
    patients: int
    slices: int
    errors: int
    warnings: int
    findings: tuple[Finding, ...]
    schema_version: int = VERIFY_SCHEMA_VERSION

    @property
    def passed(self) -> bool:
        """Whether there were no errors; warnings do not count."""
        return self.errors == 0


def verify_dataset(dataset: StoredDataset, *, progress: Progress | None = None) -> VerifyResult:
    """Read every file of a data set once.

    Errors: a patient without slices, a file that fits no slice, a slice without a mask, a mask without a slice, files
    that cannot be used, two shapes in one patient or one slice, a number twice or left out, and one picture under two
    patients (a leak between folds). Warnings: a patient without tumour, and one picture twice in a patient. Pictures
    of one value throughout are not compared.
    """
    inspection = _Cases(dataset) if isinstance(dataset, WholeSet) else _Slices(dataset)
    for done, patient in enumerate(dataset.patients, start=1):
        inspection.look_at(patient)
        if progress is not None:
            progress(done, len(dataset.patients), patient)
    inspection.finish()
    findings = tuple(inspection.findings)
    return VerifyResult(
        data=dataset.name,
        root=str(dataset.root),
        patients=len(dataset.patients),
        slices=inspection.slices,
        errors=sum(finding.level == ERROR for finding in findings),
        warnings=sum(finding.level == WARNING for finding in findings),
        findings=findings,
    )


class _Inspection:
    """The findings so far, and the hash of every picture seen with where it was first."""

    def __init__(self, root: Path) -> None:
        self.findings: list[Finding] = []
        self.slices = 0
        self._root = root
        self._seen: dict[str, tuple[str, str]] = {}

    def finish(self) -> None:
        """Add what only all patients together tell; nothing unless said otherwise."""

    def _compare(self, patient: str, where: Path | str, name: str, image: NDArray[np.uint8]) -> None:
        digest = sha256_bytes(image.tobytes())
        other, first = self._seen.setdefault(digest, (patient, name))
        if other != patient:
            self._add("duplicate-slice", patient, where, f"the same picture as {first} of patient {other}")
        elif first != name:
            self._add("duplicate-slice", patient, where, f"the same picture as {first}", level=WARNING)

    def _add(self, kind: str, patient: str, where: Path | str | None, message: str, *, level: str = ERROR) -> None:
        if isinstance(where, Path):
            where = str(where.relative_to(self._root))
        self.findings.append(Finding(level=level, kind=kind, patient=patient, where=where or patient, message=message))


class _Cases(_Inspection):
    """Patients whose channels are files of their own: each is read whole, as training reads it."""

    def __init__(self, dataset: WholeSet) -> None:
        super().__init__(dataset.root)
        self._dataset = dataset
        self._present = np.zeros(max(1, len(dataset.classes)), np.bool_)
        self._whole = 0

    def look_at(self, patient: str) -> None:
        """Add what is wrong with one patient."""
        try:
            volume = self._dataset.volume(patient)
        except DataError as error:
            message, where = str(error), next((f for f in self._dataset.files(patient) if f"{f}: " in str(error)), None)
            message = message if where is None else _without_path(error, where)
            self._add("unreadable-patient", patient, where, message.replace(f" of {patient}", ""))
            return
        self._whole += 1
        self.slices += len(volume.images)
        shown = volume.reference.reshape(-1, len(self._present)).any(axis=0)
        self._present |= shown
        if not shown.any():
            self._add("no-tumour", patient, patient, "the patient's mask is empty", level=WARNING)
        for name, image in zip(volume.slice_names, volume.images, strict=True):
            if image.min() != image.max():
                self._compare(patient, patient, name, image)

    def finish(self) -> None:
        """Name the classes that no patient has."""
        names = self._dataset.classes or tuple(region.name for region in self._dataset.labels.regions)
        for name, present in zip(names, self._present, strict=True):
            if self._whole and not present:
                self._add("absent-class", "", name, "no patient has this class, so nothing can learn it; leave it out")


class _Slices(_Inspection):
    """Patients in pictures that hold all channels: each file is read by itself."""

    def __init__(self, dataset: FolderDataset) -> None:
        super().__init__(dataset.root)
        self._dataset = dataset

    def look_at(self, patient: str) -> None:
        """Add what is wrong with one patient."""
        files = self._dataset.slice_files(patient)
        for path in self._dataset.misplaced_files(patient):
            self._add("misplaced-file", patient, path, "its name fits no slice of this patient")
        if not any(entry.image for entry in files):
            self._add("no-slices", patient, patient, "the patient has no slices")
        for message, kind, where in _numbering(files):
            self._add(kind, patient, where, message)
        shape: tuple[int, int] | None = None
        tumour, readable_masks = False, False
        for entry in files:
            image = self._slice(patient, entry)
            if image is not None:
                found = (image.shape[0], image.shape[1])
                shape = shape or found
                if found != shape:
                    self._add(
                        "wrong-shape", patient, entry.image, f"{_size(found)}; the patient's first is {_size(shape)}"
                    )
            mask = self._mask(patient, entry, image)
            readable_masks = readable_masks or mask is not None
            tumour = tumour or (mask is not None and bool(mask.any()))
        if readable_masks and not tumour:
            self._add("no-tumour", patient, patient, "no mask of the patient holds tumour", level=WARNING)

    def _slice(self, patient: str, entry: SliceFiles) -> NDArray[np.uint8] | None:
        if entry.image is None:
            self._add("mask-without-slice", patient, entry.mask, "this mask has no slice")
            return None
        try:
            image = read_slice(entry.image)
        except ImageError as error:
            self._add("unreadable-slice", patient, entry.image, _without_path(error, entry.image))
            return None
        self.slices += 1
        if image.min() != image.max():
            self._compare(patient, entry.image, entry.image.name, image)
        return image

    def _mask(self, patient: str, entry: SliceFiles, image: NDArray[np.uint8] | None) -> NDArray[np.bool_] | None:
        if entry.mask is None:
            self._add("missing-mask", patient, entry.image, "this slice has no mask")
            return None
        try:
            mask = decode_mask(entry.mask)
        except MaskError as error:
            self._add("unreadable-mask", patient, entry.mask, _without_path(error, entry.mask))
            return None
        if image is not None and mask.shape != image.shape[:2]:
            found, wanted = (mask.shape[0], mask.shape[1]), (image.shape[0], image.shape[1])
            self._add("wrong-shape", patient, entry.mask, f"{_size(found)}; its slice is {_size(wanted)}")
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
