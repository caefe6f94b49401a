"""A generic reader of slices and masks in paired folders, for tumour sets other than the Kaggle one.

Two layouts, told apart by whether `images/` and `masks/` are there:

    ROOT/images/<patient>/<slice>.<ext>      slices and masks in two trees; a mask has its slice's name,
    ROOT/masks/<patient>/<slice>.<ext>       or that name with `_mask` at its end

    ROOT/<patient>/<slice>.<ext>             slices and masks side by side
    ROOT/<patient>/<slice>_mask.<ext>

`<ext>` is tif, tiff, png, jpg or jpeg, and a mask's may differ from its slice's. Each patient has a folder of its own,
because splits are by patient. Slices are put in natural order (`slice_2` before `slice_10`), which must be the
anatomical one. Files of other kinds are passed over. A set read this way has no institutions.
"""

from __future__ import annotations

from pathlib import Path

from edgeseg.data.listing import (
    SliceFiles,
    natural_key,
    read_volume,
    require_folder,
    require_patient,
    visible_files,
    visible_folders,
)
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.data.volume import Volume
from edgeseg.errors import DatasetError
from edgeseg.specs import LGG, ChannelSet

MASK_ENDING = "_mask"

_IMAGES, _MASKS = "images", "masks"
_LAYOUTS = (
    "images/<patient>/<slice>.png with masks/<patient>/<slice>.png, or <patient>/<slice>.png with <slice>_mask.png"
)


class PairedFolder:
    """Patients in paired folders; an `edgeseg.data.volume.Dataset`."""

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()

    def __init__(self, root: Path) -> None:
        """List the patients.

        Raises:
            DatasetError: when the folder is missing, empty, or holds no patient in either layout.
        """
        require_folder(root)
        self._root = root
        self._two_trees = (root / _IMAGES).is_dir() and (root / _MASKS).is_dir()
        trees = (root / _IMAGES, root / _MASKS) if self._two_trees else (root,)
        self._patients = tuple(sorted({folder.name for tree in trees for folder in visible_folders(tree)}))
        loose = next((tree for tree in trees if visible_files(tree, SUFFIXES)), None)
        if loose is not None:
            raise DatasetError(
                f"{loose}: slices lie in it without a patient's folder; splits are by patient, so put each patient's "
                f"slices in a folder of its own: {_LAYOUTS}"
            )
        if not any(self.slice_files(patient) for patient in self._patients):
            raise DatasetError(f"{root}: no slices in paired folders are there; the layouts are {_LAYOUTS}")

    @property
    def root(self) -> Path:
        """The folder that was given."""
        return self._root

    @property
    def name(self) -> str:
        """The folder's name."""
        return self._root.resolve().name

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return self._patients

    def institution(self, patient: str) -> str:
        """Always "": this layout does not say."""
        require_patient(self, patient)
        return ""

    def slice_files(self, patient: str) -> tuple[SliceFiles, ...]:
        """The patient's slices in natural order, incomplete ones included."""
        images, masks = self._files(patient)
        return tuple(
            SliceFiles(name=stem, number=None, image=images.get(stem), mask=masks.get(stem))
            for stem in sorted(images.keys() | masks.keys(), key=natural_key)
        )

    def misplaced_files(self, patient: str) -> tuple[Path, ...]:
        """Second files of a name, such as `slice_1.png` beside `slice_1.jpg`."""
        images, masks = self._files(patient)
        known = {*images.values(), *masks.values()}
        return tuple(
            file for folder in self._folders(patient) for file in visible_files(folder, SUFFIXES) if file not in known
        )

    def volume(self, patient: str) -> Volume:
        """Read one patient whole; see `edgeseg.data.listing.read_volume` for what it raises."""
        return read_volume(self, patient)

    def _folders(self, patient: str) -> tuple[Path, ...]:
        require_patient(self, patient)
        trees = (self._root / _IMAGES, self._root / _MASKS) if self._two_trees else (self._root,)
        return tuple(tree / patient for tree in trees if (tree / patient).is_dir())

    def _files(self, patient: str) -> tuple[dict[str, Path], dict[str, Path]]:
        """Slices and masks by slice name."""
        images: dict[str, Path] = {}
        masks: dict[str, Path] = {}
        for folder in self._folders(patient):
            of_masks = self._two_trees and folder.parent.name == _MASKS
            for file in visible_files(folder, SUFFIXES):
                is_mask = of_masks or (not self._two_trees and file.stem.endswith(MASK_ENDING))
                stem = file.stem.removesuffix(MASK_ENDING) if is_mask else file.stem
                (masks if is_mask else images).setdefault(stem, file)
        return images, masks


def looks_like_paired_folder(root: Path) -> bool:
    """Whether a folder has `images/` and `masks/`, or a patient with a slice and its mask side by side."""
    if (root / _IMAGES).is_dir() and (root / _MASKS).is_dir():
        return True
    return any(_has_pair(folder) for folder in visible_folders(root))


def _has_pair(folder: Path) -> bool:
    stems = {file.stem for file in visible_files(folder, SUFFIXES)}
    return any(stem + MASK_ENDING in stems for stem in stems)
