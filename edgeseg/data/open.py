"""Open a data set with reference masks, without saying which layout it has, or with."""

from __future__ import annotations

from pathlib import Path

from edgeseg.data.layouts.csv_list import half_a_list, open_csv
from edgeseg.data.layouts.layout import StoredDataset
from edgeseg.data.layouts.table import LAYOUTS
from edgeseg.data.listing import require_folder, visible_files
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.errors import DatasetError, UnknownNameError


def open_dataset(path: Path, *, layout: str | None = None, labels: str | None = None) -> StoredDataset:
    """Open a data set, whichever of the known layouts it has.

    Args:
        path: its folder, or a CSV.
        layout: a key of `edgeseg.data.layouts.table.LAYOUTS`; recognised unless given.
        labels: what its masks tell apart, such as `whole-tumour=1+2+4,core=1+4`; what the data set says unless given.

    Raises:
        DatasetError: when the folder is missing, empty, or of no known layout.
        UnknownNameError: for an unknown layout.
        OptionError: for labels that cannot be read.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    if not (path.is_file() and path.suffix.lower() == ".csv"):
        require_folder(path)
    elif layout not in (None, "csv"):
        raise DatasetError(f"{path}: this is a CSV and no folder of the layout '{layout}'; leave --layout out")
    if path.is_file():
        layout = "csv"
    if layout is not None:
        return LAYOUTS[layout].open(path, labels)
    for one in LAYOUTS.values():
        if one.looks_like(path):
            return one.open(path, labels)
    if (list_ := half_a_list(path)) is not None:
        return open_csv(list_, labels)
    hint = ""
    if visible_files(path, SUFFIXES):
        hint = " Slices lie in it directly: if it is one patient, give the folder above it."
    known = "; ".join(f"{one.name}: {one.shape}" for one in LAYOUTS.values())
    raise DatasetError(
        f"{path}: the folder has no layout that edgeseg knows.{hint} Name one with --layout, or bring the files into "
        f"one of them. {known}"
    )
