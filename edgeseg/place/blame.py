"""Which place a write failed at, and what helps there: the folder of results, the cache, or the scratch folder."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from edgeseg.errors import OutputError, ScratchError
from edgeseg.place.cache import CACHE_VARIABLE, cache_root

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_SMALL_BYTES = 1 << 20
SCRATCH = "edgeseg-scratch-"
"""What the names of scratch folders begin with."""


def write_error(path: Path, error: OSError) -> OutputError:
    """Make the error for a write to `path` that failed, or that failed at another place while `path` was written.

    The system names a file where it refuses to open one, and none where a disk runs full; then the scratch folder is
    named if it is full and the disk of `path` is not.
    """
    place, told = _place(path, error), error.strerror or str(error)
    if error.errno in (errno.EEXIST, errno.ENOTDIR) and place == path:
        return OutputError(f"cannot write {path}: a file stands where a folder is needed; choose another place")
    if error.errno == errno.ENAMETOOLONG:
        return OutputError(f"cannot write {place}: {told}; give what the file is named after a shorter name")
    if any(part.startswith(SCRATCH) for part in place.parts):
        return scratch_error(place.parent, told)
    free = "free space or " if _ran_full(error) else ""
    if place == path:
        advice = _cache_advice(path) or "choose another place with --out"
        return OutputError(f"cannot write {path}: {told}; {free}{advice}")
    if _ran_full(error) and place.is_relative_to(tempfile.gettempdir()):
        return scratch_error(place, told)
    return OutputError(f"cannot use {place}: {told}; {free}{_cache_advice(place) or 'change its permissions'}")


def describe(error: OSError) -> str | None:
    """Say what helps where a write failed in the cache or among the scratch files; None for any other place."""
    told = error.strerror or str(error)
    if error.filename is None:
        scratch = full_scratch() if _ran_full(error) else None
        return None if scratch is None else str(scratch_error(scratch, told))
    place = Path(os.fsdecode(error.filename)).absolute()
    if any(part.startswith(SCRATCH) for part in place.parts):
        return str(scratch_error(place.parent, told))
    advice = _cache_advice(place)
    return None if advice is None else f"cannot write {place}: {told}; free space or {advice}"


def full_scratch() -> Path | None:
    """Return the scratch folder where less than a megabyte is free on its disk, else None."""
    try:
        place = Path(tempfile.gettempdir())
        return place if shutil.disk_usage(place).free < _SMALL_BYTES else None
    except OSError:
        return None


def scratch_error(place: Path, told: str) -> ScratchError:
    """Make the error for a scratch folder that cannot be used."""
    return ScratchError(
        f"cannot write scratch files to {place}: {told}; free space there, or set TMPDIR to a folder on another disk"
    )


def _ran_full(error: OSError) -> bool:
    """Whether a disk or quota is used up; NumPy says "9 requested and 4 written", without a number."""
    return error.errno in _FULL or (error.errno is None and "written" in str(error))


def _place(path: Path, error: OSError) -> Path:
    if isinstance(error.filename, (str, bytes, os.PathLike)):
        named, ours = Path(os.fsdecode(error.filename)).absolute(), path.absolute()
        return path if named.is_relative_to(ours) or ours.is_relative_to(named) else named
    if _ran_full(error) and not _is_small(path) and (scratch := full_scratch()) is not None:
        return scratch
    return path


def _is_small(path: Path) -> bool:
    there = next((folder for folder in (path, *path.parents) if folder.is_dir()), Path())
    try:
        return shutil.disk_usage(there).free < _SMALL_BYTES
    except OSError:
        return False


def _cache_advice(place: Path) -> str | None:
    root = cache_root()
    if root is None or not place.is_relative_to(root):
        return None
    return f"set {CACHE_VARIABLE} to another folder for the cache ('edgeseg cache clear' empties this one)"
