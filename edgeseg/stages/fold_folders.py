"""Where the runs of a cross-validation lie: `fold0`, `fold1` ... in one folder."""

from __future__ import annotations

import re
from pathlib import Path

_FOLD = re.compile(r"fold(\d+)")


def fold_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders `fold0`, `fold1` ... in `path`, in the order of their numbers; none where it has none."""
    found = (child for child in path.glob("fold*") if child.is_dir() and _FOLD.fullmatch(child.name))
    return tuple(sorted(found, key=lambda child: int(child.name.removeprefix("fold"))))


def of_fold(path: Path, fold: str | None = None) -> Path:
    """Return the run of a fold, the first one unless named, in a folder that holds it, and any other path as it is."""
    if fold is None:
        return next(iter(fold_folders(path)), path)
    return path / fold if (path / fold).is_dir() else path
