"""What the folder readers share: a patient's files, paired slice by slice, and reading them into a volume."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.slice_file import read_mask, read_slice
from edgeseg.data.volume import Dataset, Volume
from edgeseg.errors import DatasetError, ImageError, MaskError, UnknownNameError


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceFiles:
    """The two files of one slice.

    `number` is the slice's position where names carry one, else None. `image` or `mask` is None where that file is
    absent.
    """

    name: str
    number: int | None
    image: Path | None
    mask: Path | None


class FolderDataset(Dataset, Protocol):
    """A data set of files, which `edgeseg.data.verify` can look at one by one."""

    @property
    def root(self) -> Path:
        """The folder that holds the patients."""

    def slice_files(self, patient: str) -> tuple[SliceFiles, ...]:
        """The patient's slices in anatomical order, incomplete ones included."""

    def misplaced_files(self, patient: str) -> tuple[Path, ...]:
        """Image files in the patient's folder whose names fit no slice of this patient."""


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts `slice_2` before `slice_10`."""
    parts = re.split(r"(\d+)", text)
    return tuple((1, int(part), part) if part.isdecimal() else (0, 0, part.lower()) for part in parts)


def is_passed_over(name: str) -> bool:
    """Whether a folder is hidden or what an archiver leaves; other names with two underscores are somebody's."""
    return name.startswith(".") or name == "__MACOSX"


def visible_folders(root: Path) -> list[Path]:
    """Sub-folders by natural order, without hidden ones and archive leftovers such as `__MACOSX`."""
    folders = (entry for entry in root.iterdir() if entry.is_dir() and not is_passed_over(entry.name))
    return sorted(folders, key=lambda folder: natural_key(folder.name))


def visible_files(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """Files with one of `suffixes` (lower case), by natural order, without hidden ones."""
    wanted = frozenset(suffixes)
    files = (f for f in folder.iterdir() if f.suffix.lower() in wanted and not f.name.startswith(".") and f.is_file())
    return sorted(files, key=lambda file: natural_key(file.name))


def require_folder(root: Path) -> None:
    """Refuse a data folder that is missing, a file, or empty.

    Raises:
        DatasetError: with what is there and what is needed.
    """
    if not root.exists():
        raise DatasetError(f"{root}: there is no such folder; give the folder that holds the patients")
    if not root.is_dir():
        raise DatasetError(f"{root}: this is a file; a data set is a folder with one folder per patient")
    try:
        empty = not any(root.iterdir())
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read ({error.strerror}); change its permissions") from error
    if empty:
        raise DatasetError(f"{root}: the folder is empty; a data set is a folder with one folder per patient")


def require_patient(dataset: Dataset, patient: str) -> None:
    """Refuse an id that the data set does not have.

    Raises:
        UnknownNameError: with the nearest id that exists.
    """
    if patient not in dataset.patients:
        raise UnknownNameError("patient", patient, dataset.patients)


def read_volume(dataset: FolderDataset, patient: str) -> Volume:
    """Read one patient whole.

    Raises:
        DatasetError: when the patient has no slices, a file that fits no slice, or one position twice.
        ImageError: when a slice is missing, unreadable, or of another size than the patient's first.
        MaskError: when a mask is missing, unreadable, or of another size than its slice.
    """
    require_patient(dataset, patient)
    files = dataset.slice_files(patient)
    if misplaced := dataset.misplaced_files(patient):
        raise DatasetError(f"{misplaced[0]}: the name fits no slice of {patient}; rename the file or take it out")
    if not files:
        raise DatasetError(f"{dataset.root}: patient {patient} has no slices; copy the patient again or take it out")
    images: list[NDArray[np.uint8]] = []
    masks: list[NDArray[np.bool_]] = []
    for before, entry in zip((None, *files), files, strict=False):
        if before is not None and entry.number is not None and entry.number == before.number:
            raise DatasetError(f"{entry.image or entry.mask}: slice {entry.number} is there twice; take one out")
        image, mask = _both(entry)
        pixels = read_slice(image, dataset.channels)
        if images and pixels.shape != images[0].shape:
            (height, width), first = pixels.shape[:2], images[0].shape
            raise ImageError(
                f"{image}: the slice is {height} x {width} and the patient's first is {first[0]} x {first[1]}; "
                "all slices of a patient must have one size"
            )
        images.append(pixels)
        masks.append(read_mask(mask, (pixels.shape[0], pixels.shape[1])))
    return Volume(
        patient=patient,
        institution=dataset.institution(patient),
        images=np.stack(images),
        masks=np.stack(masks),
        slice_names=tuple(entry.name for entry in files),
        channels=dataset.channels.names,
        classes=dataset.classes,
    )


def _both(entry: SliceFiles) -> tuple[Path, Path]:
    if entry.image is None:
        raise ImageError(f"{entry.mask}: this mask has no slice; copy slice '{entry.name}' again or take the mask out")
    if entry.mask is None:
        raise MaskError(
            f"{entry.image}: this slice has no mask; a slice without tumour needs an all-zero mask; "
            "copy the mask again or take the slice out"
        )
    return entry.image, entry.mask
