"""The folders of an archive that hold one kind of files each, where the whole of it holds several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeseg.data.listing import natural_key
from edgeseg.data.strays import only_format
from edgeseg.data.tree import PICTURES, Tree, read_tree
from edgeseg.errors import DatasetError
from edgeseg.stages.segment.inputs import plan_folders

_SEVERAL, _FEW = 2, 3
"""Patients below a folder from which on it is an archive; fewer may be one patient in several forms."""


def parts(path: Path) -> tuple[Path, ...]:
    """List folders below one that hold slices, NIfTI or DICOM alone, where it holds several and is an archive.

    It is none, and stays as it is, where images lie in it itself, or where it holds fewer than three patients: DICOM
    and NIfTI of one patient side by side are one patient, so it is unclear which are meant. One folder of pictures
    beside volumes may be a patient's or a viewer's, and is as unclear.

    Raises:
        DatasetError: when a folder cannot be read.
        MissingExtraError: without the library that reads a format.
    """
    if not path.is_dir():
        return (path,)
    tree = read_tree(path)
    found = _parts(tree)
    return (path,) if len(found) < 2 or sum(map(_patients, found)) < _FEW else tuple(part.root for part in found)


def _parts(tree: Tree) -> list[Tree]:
    if not _is_mixed(tree) or any(file.parent == tree.root for file in _images(tree)):
        return [tree]
    return [part for below in _below(tree) for part in _parts(below)]


def _patients(part: Tree) -> int:
    """Count the patients in a part; one whose kinds are mixed, or whose files cannot be read, counts as one."""
    if _is_mixed(part):
        return 1
    if not part.formats:
        return len({file.parent for file in part.of(PICTURES)})
    try:
        return len(plan_folders(part.root))
    except DatasetError:
        return 1


def _is_mixed(tree: Tree) -> bool:
    """Whether there are volumes of several kinds, or beside volumes several folders of pictures alone."""
    try:
        only_format(tree)
    except DatasetError:
        return True
    volumes = {file.parent for kind in tree.formats for file in tree.of(kind)}
    pictures = {file.parent for file in tree.of(PICTURES)}
    return bool(volumes) and len(pictures - volumes) >= _SEVERAL


def _images(tree: Tree) -> Iterable[Path]:
    return (file for kind in (*tree.formats, PICTURES) for file in tree.of(kind))


def _below(tree: Tree) -> list[Tree]:
    """Take a tree apart by the folders directly below its root that hold images."""
    depth = len(tree.root.parts)
    names = sorted({file.parts[depth] for file in _images(tree)}, key=natural_key)
    found = []
    for name in names:
        root = tree.root / name
        files = {kind: [one for one in files if one.is_relative_to(root)] for kind, files in tree.files.items()}
        found.append(Tree(root=root, files={kind: files for kind, files in files.items() if files}))
    return found
