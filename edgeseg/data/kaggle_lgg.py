"""The layout of the Kaggle set mateuszbuda/lgg-mri-segmentation (and of phantoms, which are written the same way).

    kaggle_3m/<patient>/<patient>_<n>.tif        three 8-bit channels: pre-contrast, FLAIR, post-contrast
    kaggle_3m/<patient>/<patient>_<n>_mask.tif   one 8-bit channel: 0 or 255, the FLAIR abnormality

Slices are numbered from 1 without zero padding, so they are sorted by number, not by name.
"""

from __future__ import annotations

import re
from pathlib import Path

from edgeseg.data.listing import (
    SliceFiles,
    read_volume,
    require_folder,
    require_patient,
    visible_files,
    visible_folders,
)
from edgeseg.data.volume import KAGGLE_LGG, PHANTOM, Volume
from edgeseg.errors import DatasetError
from edgeseg.specs import LGG, ChannelSet

PHANTOM_PREFIX = "PHANTOM_"
LICENCE = "CC BY-NC-SA 4.0"
"""Of the set, and so of what is trained on it; shipped weights from phantoms are kept under it too."""

_SUFFIXES = (".tif", ".tiff")
_PLACES = ("kaggle_3m", "lgg-mri-segmentation/kaggle_3m")
_LAYOUT = "kaggle_3m/<patient>/<patient>_<n>.tif beside <patient>_<n>_mask.tif"


class KaggleLgg:
    """Patients in the Kaggle LGG layout; an `edgeseg.data.volume.Dataset`.

    Files that are not TIFF (`data.csv`, `README.md`, `.DS_Store`) are passed over.
    """

    channels: ChannelSet = LGG
    classes: tuple[str, ...] = ()

    def __init__(self, root: Path) -> None:
        """List the patients.

        Args:
            root: the folder with the patients, or the one above it, as the archive unpacks.

        Raises:
            DatasetError: when the folder is missing, empty, or holds no patient in this layout.
        """
        require_folder(root)
        self._root = next((root / place for place in _PLACES if (root / place).is_dir()), root)
        require_folder(self._root)
        self._folders = {folder.name: folder for folder in visible_folders(self._root)}
        self._patients = tuple(sorted(self._folders))
        if not any(_has_slices(folder) for folder in self._folders.values()):
            raise DatasetError(f"{root}: no patient of the Kaggle LGG layout is there; it is {_LAYOUT}{_hint(root)}")

    @property
    def root(self) -> Path:
        """The folder that holds the patients' folders."""
        return self._root

    @property
    def name(self) -> str:
        """`phantom` when every patient is one, else `kaggle-lgg`."""
        return PHANTOM if all(p.startswith(PHANTOM_PREFIX) for p in self._patients) else KAGGLE_LGG

    @property
    def patients(self) -> tuple[str, ...]:
        """All patient ids, sorted."""
        return self._patients

    def institution(self, patient: str) -> str:
        """The second field of the id: `TCGA_CS_4941_19960909` is from `CS`."""
        require_patient(self, patient)
        fields = patient.split("_")
        return fields[1] if len(fields) > 1 else ""

    def slice_files(self, patient: str) -> tuple[SliceFiles, ...]:
        """The patient's slices by number, incomplete ones included."""
        images, masks = self._files(patient)
        return tuple(
            SliceFiles(name=stem, number=_number(stem), image=images.get(stem), mask=masks.get(stem))
            for stem in sorted(images.keys() | masks.keys(), key=lambda stem: (_number(stem), stem))
        )

    def misplaced_files(self, patient: str) -> tuple[Path, ...]:
        """TIFF files not named `<patient>_<n>[_mask].tif`, or that repeat one under another suffix."""
        images, masks = self._files(patient)
        known = {*images.values(), *masks.values()}
        return tuple(file for file in visible_files(self._folders[patient], _SUFFIXES) if file not in known)

    def volume(self, patient: str) -> Volume:
        """Read one patient whole; see `edgeseg.data.listing.read_volume` for what it raises."""
        return read_volume(self, patient)

    def _files(self, patient: str) -> tuple[dict[str, Path], dict[str, Path]]:
        """Slices and masks by slice name."""
        require_patient(self, patient)
        pattern = _pattern(patient)
        images: dict[str, Path] = {}
        masks: dict[str, Path] = {}
        for file in visible_files(self._folders[patient], _SUFFIXES):
            if match := pattern.fullmatch(file.stem):
                (masks if match["mask"] else images).setdefault(match["slice"], file)
        return images, masks


def looks_like_kaggle_lgg(root: Path) -> bool:
    """Whether a folder holds at least one patient of this layout."""
    places = [root / place for place in _PLACES if (root / place).is_dir()] or [root]
    return any(_has_slices(folder) for folder in visible_folders(places[0]))


def _pattern(patient: str) -> re.Pattern[str]:
    return re.compile(rf"(?P<slice>{re.escape(patient)}_\d+)(?P<mask>_mask)?", re.ASCII)


def _number(stem: str) -> int:
    return int(stem.rpartition("_")[2])


def _has_slices(folder: Path) -> bool:
    pattern = _pattern(folder.name)
    return any(pattern.fullmatch(file.stem) for file in visible_files(folder, _SUFFIXES))


def _hint(root: Path) -> str:
    return f"; {root} looks like one patient, so give the folder above it" if _has_slices(root.absolute()) else ""
