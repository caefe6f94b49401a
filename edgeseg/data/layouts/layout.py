"""What the table of layouts holds of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.layouts.whole_set import WholeSet
from edgeseg.data.listing import FolderDataset

StoredDataset = FolderDataset | WholeSet
"""A data set in files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way in which a data set lies in a folder.

    Attributes:
        name: as `--layout` has it.
        shape: what lies where, on one line.
        looks_like: whether a folder (or file) is one, from a few names in it.
        open: lists the patients; takes the folder, and the labels that were asked for as `--labels` has them or None.
    """

    name: str
    shape: str
    looks_like: Callable[[Path], bool]
    open: Callable[[Path, str | None], StoredDataset]
