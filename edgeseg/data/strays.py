"""What lies beside the files that are used: refused where it is unclear which are meant, else named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from edgeseg.data.formats import FORMATS
from edgeseg.data.tree import MASKS, OTHERS, PICTURES, Tree
from edgeseg.errors import DatasetError
from edgeseg.results import UnusedFiles

_NOTES = frozenset(
    (
        *(
            ".txt",
            ".pdf",
            ".json",
            ".xml",
            ".csv",
            ".tsv",
            ".md",
            ".html",
            ".htm",
            ".css",
            ".js",
            ".log",
            ".inf",
            ".ini",
        ),
        *(".exe", ".dll", ".jar", ".bval", ".bvec", ".yaml", ".yml", ".toml", ".bat", ".rtf", ".doc", ".docx", ".xls"),
        *(".xlsx", ".sh", ".db"),
    )
)
"""Endings of files that nobody takes for images."""
_LEAST_SLICES = 8
"""A file that holds a volume stands for so many pictures, where both are in one folder."""
_WHY = {
    PICTURES: "pictures beside volumes are not segmented",
    MASKS: "masks by their names",
    OTHERS: "of no kind that is read",
}


def only_format(tree: Tree) -> str | None:
    """Name the one format of volumes below a folder; None where there are none.

    Raises:
        DatasetError: when there are several, or as many pictures as volumes.
    """
    if not tree.formats:
        return None
    advice = "leave one kind in the folder, or name the file of each channel, with an option called like it"
    if len(tree.formats) > 1:
        told = " and ".join(f"{_few(tree.of(kind), tree.root)} ({kind})" for kind in tree.formats)
        raise DatasetError(f"{tree.root}: the folder holds volumes of several kinds, {told}; {advice}")
    (kind,) = tree.formats
    whole_tree = next(one.whole_tree for one in FORMATS if one.name == kind)
    if len(tree.of(PICTURES)) >= len(tree.of(kind)) * (1 if whole_tree else _LEAST_SLICES):
        raise DatasetError(
            f"{tree.root}: the folder holds {len(tree.of(kind))} files of {kind} and {len(tree.of(PICTURES))} pictures "
            f"({_few(tree.of(PICTURES), tree.root)}), so it is unclear which are meant; {advice}"
        )
    return kind


def require_undamaged(tree: Tree, kind: str) -> None:
    """Refuse files whose names say a format that they are not.

    Raises:
        DatasetError: with the first of them.
    """
    if damaged := _damaged(tree, kind):
        raise DatasetError(
            f"{damaged[0]}: cannot be read as {kind}, whatever its name says; the file is damaged or empty; copy it "
            "again, or take it out"
        )


def _damaged(tree: Tree, kind: str) -> list[Path]:
    """List files that are named for a format and are none of it: by their ending, or as those beside them but a number.

    The second goes for formats of many files to a volume: `IM0003` beside `IM0002`.
    """
    known = next(one for one in FORMATS if one.name == kind)
    alike = {_but_numbers(path) for path in tree.of(kind)} if known.whole_tree else set()
    return [p for p in tree.of(OTHERS) if p.name.lower().endswith(known.endings) or _but_numbers(p) in alike]


def _but_numbers(path: Path) -> tuple[Path, str]:
    return path.parent, re.sub(r"\d+", "0", path.name)


def unused_of(tree: Tree, folder: Path | None = None) -> tuple[UnusedFiles, ...]:
    """Name pictures beside volumes, masks, and files of no known kind; those of one ending stand together.

    `folder` is one patient's where the tree has several: then its own files count, and the first has those of none.
    """
    found = []
    for kind in (PICTURES, MASKS, OTHERS) if tree.formats else (MASKS, OTHERS):
        found += _by_ending(_within(tree, kind, folder), tree.root, _WHY[kind])
    return tuple(found)


def _by_ending(files: Iterable[Path], root: Path, why: str) -> list[UnusedFiles]:
    groups: dict[str, list[Path]] = {}
    for path in files:
        groups.setdefault(path.suffix.lower(), []).append(path)
    return [UnusedFiles(name=_few(paths, root), files=len(paths), why=why) for paths in groups.values()]


def stray_warnings(tree: Tree, folder: Path | None = None) -> tuple[str, ...]:
    """Say which files were not used that could have been meant: pictures beside volumes, and all that is no note."""
    return _told(_doubtful(tree, folder), tree.root)


def _told(strays: list[Path], root: Path) -> tuple[str, ...]:
    if not strays:
        return ()
    return (f"{len(strays)} file{'s were' if len(strays) > 1 else ' was'} not used: {_few(strays, root)}",)


def _within(tree: Tree, kind: str, folder: Path | None) -> list[Path]:
    """List files of a kind in one patient's folder; those in no patient's folder are the first patient's."""
    if folder is None:
        return list(tree.of(kind))
    patients, owned = tree.by_folder(PICTURES), tree.by_folder(kind)
    if patients and folder != next(iter(patients)):
        return list(owned.get(folder, ()))
    return [path for owner, paths in owned.items() if owner == folder or owner not in patients for path in paths]


def _few(paths: Iterable[Path], root: Path) -> str:
    """Name the first of some files by its place below a folder, and say how many more there are."""
    listed = list(paths)
    first = listed[0].relative_to(root).as_posix() if listed[0].is_relative_to(root) else listed[0].name
    return first if len(listed) == 1 else f"{first} and {len(listed) - 1} more"


def _doubtful(tree: Tree, folder: Path | None = None) -> list[Path]:
    strays = list(tree.of(PICTURES)) if tree.formats else []
    others = _within(tree, OTHERS, folder)
    return strays + [path for path in others if path.suffix.lower() not in _NOTES and path.name.upper() != "DICOMDIR"]


def beside(tree: Tree, folders: Iterable[Path]) -> tuple[tuple[UnusedFiles, ...], tuple[str, ...]]:
    """Name what lies beside the folders of patients and belongs to none, and say what of it could have been meant.

    Raises:
        DatasetError: where pictures, or files of no known kind, have a folder of their own, which may be a patient's.
    """
    known = tuple(folders)
    outside = {kind: [p for p in tree.of(kind) if not any(p.is_relative_to(f) for f in known)] for kind in tree.files}
    strays = [path for path in _doubtful(tree) if not any(path.is_relative_to(folder) for folder in known)]
    if apart := [path for path in strays if not any(folder.is_relative_to(path.parent) for folder in known)]:
        raise DatasetError(
            f"{apart[0]} lies in a folder of its own beside those of patients, so it is unclear whether that is a "
            "patient; take it out, or name the folders one by one"
        )
    unused = [one for kind, why in _WHY.items() for one in _by_ending(outside.get(kind, []), tree.root, why)]
    unused += [
        UnusedFiles(name=_few(paths, tree.root), files=len(paths), why=f"{kind} without an image")
        for kind in tree.formats
        if (paths := outside[kind])
    ]
    return tuple(unused), _told(strays, tree.root)
