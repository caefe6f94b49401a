"""The files below a folder, by what they are; links are followed, and each folder is read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgeseg.data.formats import format_of
from edgeseg.data.listing import is_passed_over, natural_key
from edgeseg.data.slice_file import SUFFIXES
from edgeseg.errors import DatasetError

MASK_ENDING = "_mask"
PICTURES, MASKS, OTHERS = "pictures", "masks", "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Files below `root` by the name of their format, or `pictures`, `masks` (pictures of them), `others`."""

    root: Path
    files: dict[str, list[Path]] = field(default_factory=dict)
    _folders: dict[str, dict[Path, list[Path]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, kind: str) -> tuple[Path, ...]:
        """List the files of one kind."""
        return tuple(self.files.get(kind, ()))

    def by_folder(self, kind: str) -> Mapping[Path, Sequence[Path]]:
        """Sort the files of one kind by the folder that they lie in, links followed; asked of the disk once."""
        if kind not in self._folders:
            files = self.of(kind)
            real = {folder: folder.resolve() for folder in dict.fromkeys(path.parent for path in files)}
            found: dict[Path, list[Path]] = {}
            for path in files:
                found.setdefault(real[path.parent], []).append(path)
            self._folders[kind] = found
        return self._folders[kind]

    @property
    def formats(self) -> tuple[str, ...]:
        """Name the formats of which there are files, pictures aside."""
        return tuple(kind for kind in self.files if kind not in (PICTURES, MASKS, OTHERS))


def read_tree(root: Path) -> Tree:
    """Sort all files below a folder; hidden ones, and archive leftovers such as `__MACOSX`, are passed over.

    Raises:
        DatasetError: when a folder or file cannot be read.
    """
    tree = Tree(root=root)
    for path in walk(root):
        tree.files.setdefault(_kind(path), []).append(path)
    return tree


def walk(folder: Path, seen: set[Path] | None = None) -> Iterator[Path]:
    """Give the visible files in and below a folder, by natural order.

    Raises:
        DatasetError: when a folder cannot be read.
    """
    seen = set() if seen is None else seen
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: natural_key(entry.name))
        folders = {entry for entry in entries if entry.is_dir()}
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror}); change its permissions") from error
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    yield from (entry for entry in shown if entry not in folders)
    for below in shown:
        if below in folders and not is_passed_over(below.name):
            yield from walk(below, seen)


def _kind(path: Path) -> str:
    if not path.exists():
        raise DatasetError(f"{path}: the link leads nowhere, or the file went away; mend it or take it out")
    if not path.is_file():
        return OTHERS
    if (found := format_of(path)) is not None:
        return found.name
    if path.suffix.lower() in SUFFIXES:
        return MASKS if path.stem.endswith(MASK_ENDING) else PICTURES
    return OTHERS
