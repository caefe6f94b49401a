"""Open a folder of real slices without saying which layout it has."""

from __future__ import annotations

from pathlib import Path

from edgeseg.data.folder import PairedFolder, looks_like_paired_folder
from edgeseg.data.kaggle_lgg import KaggleLgg, looks_like_kaggle_lgg
from edgeseg.data.listing import FolderDataset, require_folder, visible_files
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.errors import DatasetError

_LAYOUTS = """The layouts edgeseg reads:
  Kaggle LGG:      DIR/[kaggle_3m/]<patient>/<patient>_<n>.tif beside <patient>_<n>_mask.tif
  two trees:       DIR/images/<patient>/<slice>.png with DIR/masks/<patient>/<slice>.png
  side by side:    DIR/<patient>/<slice>.png with <slice>_mask.png"""


def open_dataset(path: Path) -> FolderDataset:
    """Open a data set, whichever of the known layouts it has.

    Raises:
        DatasetError: when the folder is missing, empty, or of no known layout.
    """
    require_folder(path)
    if looks_like_kaggle_lgg(path):
        return KaggleLgg(path)
    if looks_like_paired_folder(path):
        return PairedFolder(path)
    hint = ""
    if visible_files(path, SUFFIXES):
        hint = " Slices lie in it directly: if it is one patient, give the folder above it."
    raise DatasetError(f"{path}: the folder has no layout that edgeseg knows.{hint} {_LAYOUTS}")
