"""The folders of an archive that are one patient's study each, for formats in which a tree is one patient.

Whose a file is stands in its header. Where the files of two studies lie in folders apart, each has the highest folder
that holds nothing of the others; where they lie mixed, the whole is one, and refused as it is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from edgeseg.data.formats import FORMATS
from edgeseg.data.tree import Tree
from edgeseg.errors import DatasetError
from edgeseg.specs import LGG, ChannelSet

_FEW = 2


def study_folders(tree: Tree, kind: str, *, channels: ChannelSet = LGG, reference_is_named: bool = False) -> list[Path]:
    """List the folders that are one study each, in the order of their names; the root where it is one, or unclear.

    It is unclear where fewer than two hold a series of the reference channel: then these may be sequences of one
    patient that carry different names. `reference_is_named` where the user says which series it is. A folder of which a
    file cannot be read counts as one.

    Raises:
        MissingExtraError: without the library that reads the format.
        DatasetError: when a file that lies beside the folders does not tell whose it is.
    """
    known = next(one for one in FORMATS if one.name == kind)
    files = tree.of(kind)
    if known.owner is None or len({file.parent for file in files}) == 1:
        return [tree.root]
    owners: dict[str, list[Path]] = {}
    lost: list[Path] = []
    for file in files:
        try:
            if (owner := known.owner(file)) is not None:
                owners.setdefault(owner, []).append(file.parent)
        except DatasetError:
            lost.append(file)
    places = {Path(os.path.commonpath(parents)) for parents in owners.values()}
    units = {one for one in places if not any(one != other and one.is_relative_to(other) for other in places)}
    if len(units) < _FEW or tree.root in units:
        return [tree.root]
    units = {_highest(one, tree.root, units - {one}) for one in units}
    for file in lost:
        if not _within(file, units):
            if _holds_one(file.parent, units):
                raise DatasetError(
                    f"{file}: it lies beside the folders of patients and does not tell whose it is; the file is "
                    "damaged; copy it again, or take it out"
                )
            units.add(_highest(file.parent, tree.root, units))
    order = list(dict.fromkeys(unit for file in files for unit in units if file.is_relative_to(unit)))
    if reference_is_named:
        return order
    return order if _are_patients(order, files, kind, channels) else [tree.root]


def _highest(folder: Path, root: Path, others: Iterable[Path]) -> Path:
    """Climb as long as the folder above is not the root and holds none of the others."""
    while folder.parent != root and not _holds_one(folder.parent, others):
        folder = folder.parent
    return folder


def _holds_one(folder: Path, others: Iterable[Path]) -> bool:
    return any(other.is_relative_to(folder) for other in others)


def _within(file: Path, folders: Iterable[Path]) -> bool:
    return any(file.is_relative_to(folder) for folder in folders)


def _are_patients(units: list[Path], files: tuple[Path, ...], kind: str, channels: ChannelSet) -> bool:
    """Whether two of the folders could be segmented each by itself, or would be named as damaged."""
    known = next(one for one in FORMATS if one.name == kind)
    count, sure = 0, 0
    for unit in units:
        try:
            candidates, _ = known.list(tuple(file for file in files if file.is_relative_to(unit)), "")
            found = any(one.judged(channels.names).channel == channels.reference for one in candidates)
            count, sure = count + found, sure + found
        except DatasetError:
            count += 1
        if count >= _FEW and sure:
            return True
    return False
