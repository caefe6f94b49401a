"""Paths that a list names: relative to its folder, and none outside.

A list may come from somebody else, so its words alone must not reach other files. Links are made by whoever keeps the
folder, who may link data that lie elsewhere: they are followed, and count as the files that they lead to.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from edgeseg.errors import DatasetError


def inside(root: Path, text: str, where: str) -> Path:
    """Return the path that a list names.

    Args:
        root: the list's folder.
        text: as the list has it, with `/` between folders.
        where: the list, for messages.

    Raises:
        DatasetError: for a path that is absolute, leads out of the folder, or that no file can have.
    """
    path = PurePosixPath(text.strip().replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        raise DatasetError(
            f"{where}: '{text}' leads out of its folder; paths are relative to it and have no '..', such as "
            "images/a.nii.gz: put the files there, or links to them"
        )
    if not _possible(root / path):
        raise DatasetError(f"{where}: there can be no file '{text[:70]}'; correct the path")
    return root / path


def _possible(path: Path) -> bool:
    """Whether a file can have such a path: none holds NUL, or a name that is too long."""
    try:
        path.exists()
    except OSError:
        return False
    return "\0" not in str(path)
