"""Where the runs of a cross-validation lie: `fold0`, `fold1` ... in one folder."""

from __future__ import annotations

import re
from pathlib import Path

_FOLD = re.compile(r"fold(\d+)")


def fold_folders(path: Path) -> tuple[Path, ...]:
    """Return the folders of the folds in the order of their numbers; none where `path` is a single run or a file."""
    found = (child for child in path.glob("fold*") if child.is_dir() and _FOLD.fullmatch(child.name))
    return tuple(sorted(found, key=lambda child: int(child.name.removeprefix("fold"))))


def of_fold(path: Path, fold: str = "fold0") -> Path:
    """Return the run of one fold in a folder that holds folds, and any other path as it is."""
    return path / fold if (path / fold).is_dir() else path
