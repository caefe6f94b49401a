"""The per-user cache: where it is, what is kept there, and clearing it."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgeseg.errors import OutputError
from edgeseg.place.private import why_not_private
from edgeseg.results import CacheEntry

CACHE_VARIABLE = "XDG_CACHE_HOME"
_NAME = "edgeseg"
_LOG = logging.getLogger(__name__)


def cache_root() -> Path | None:
    """Return the folder that the environment names for the cache; None where it names none. Nothing is made."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given) / _NAME
    try:
        return Path.home() / ".cache" / _NAME
    except RuntimeError:
        return None


def cache_dir() -> Path:
    """The per-user cache (`$XDG_CACHE_HOME/edgeseg` or `~/.cache/edgeseg`); made when it is absent.

        Only this user can enter it. Where there is no home, or it cannot be written or is somebody else's, a folder of
    this user's among the temporary files takes its place, and a warning is logged. From then on this process is known
    to use the cache, so that no other clears it; where the file system knows no locks it is not known.

    Raises:
        OutputError: when the folder that `XDG_CACHE_HOME` names cannot be written or is somebody else's, or no
            temporary one can be made.
    """
    root = cache_root()
    why = "there is no home folder" if root is None else _unusable(root)
    if why is None:
        assert root is not None
        return _used(root)
    if os.environ.get(CACHE_VARIABLE):
        raise OutputError(
            f"cannot write the cache {root}: {why}; set {CACHE_VARIABLE} to a folder that can be written, or unset it"
        )
    return _used(_temporary(f"{root}: {why}" if root is not None else why))


def cache_place() -> Path:
    """Where the cache is, or would be; nothing is made, and no warning given."""
    root = cache_root()
    return root if root is not None and (root.is_dir() or os.environ.get(CACHE_VARIABLE)) else _replacement(root)


def cache_entries(root: Path) -> tuple[CacheEntry, ...]:
    """List what a cache keeps: its files, and folders two deep, in the order of their names; sizes in bytes."""
    found = []
    for path in sorted(_kept(root)):
        files = [path] if not path.is_dir() else [file for file in path.rglob("*") if file.is_file()]
        size = sum(file.lstat().st_size for file in files)
        found.append(CacheEntry(path=path.relative_to(root).as_posix(), size_bytes=size, files=len(files)))
    return tuple(found)


def clear_cache(root: Path) -> tuple[CacheEntry, ...]:
    """Remove what a cache keeps; gives what was removed.

    Raises:
        OutputError: when another process uses it, or something cannot be removed.
    """
    if not root.is_dir():
        return ()
    with _alone(root):
        return _removed(root)


def _removed(root: Path) -> tuple[CacheEntry, ...]:
    entries = cache_entries(root)
    try:
        for entry in entries:
            path = root / entry.path
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot clear {error.filename or root}: {error.strerror}; change its permissions or remove it by hand"
        ) from error
    return entries


_USED: dict[Path, int] = {}
"""What this process uses, with the open folder that holds its lock until the process ends."""


def _used(root: Path) -> Path:
    """Hold a lock on a cache that others may hold too, until this process ends; waits while it is being cleared."""
    known = _USED.get(root)
    try:
        if known is not None and os.path.samestat(os.fstat(known), root.stat()):
            return root
        handle = os.open(root, os.O_RDONLY)
    except OSError:
        return root
    with contextlib.suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_SH)
    _USED[root] = handle
    if known is not None:
        os.close(known)
    return root


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Hold a lock on a cache that nobody else holds; what this process itself held is let go of."""
    if (ours := _USED.pop(root, None)) is not None:
        os.close(ours)
    try:
        handle = os.open(root, os.O_RDONLY)
    except OSError as error:
        raise OutputError(f"cannot clear {root}: {error.strerror}; change its permissions") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise OutputError(
            f"{root}: another run of edgeseg uses the cache, and would lose what it reads; clear it once that has ended"
        ) from error
    except OSError:
        _LOG.warning("%s lies on a file system without locks; see to it that no other run uses it", root)
    try:
        yield
    finally:
        os.close(handle)


def _kept(root: Path) -> list[Path]:
    found: list[Path] = []
    for path in root.iterdir() if root.is_dir() else ():
        found += path.iterdir() if path.is_dir() and not path.is_symlink() else [path]
    return found


def _unusable(root: Path) -> str | None:
    """Say why a folder cannot be written by this user alone, having tried; None where it can."""
    if (why := why_not_private(root)) is not None:
        return why
    try:
        with tempfile.TemporaryFile(dir=root):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _shared_place() -> Path:
    return Path(tempfile.gettempdir()) / f"{_NAME}-cache-{os.getuid()}"


def _replacement(root: Path | None) -> Path:
    """The temporary cache where an earlier run left one, or there is no home; else the usual place."""
    return _shared_place() if root is None or _shared_place().is_dir() else root


@functools.cache
def _temporary(why: str) -> Path:
    place = _shared_place()
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            place = Path(tempfile.mkdtemp(prefix=f"{_NAME}-cache-"))
    except OSError as error:
        raise OutputError(
            f"no cache can be made ({why}; {place}: {error.strerror}); set {CACHE_VARIABLE} to a folder that can be "
            "written"
        ) from error
    _LOG.warning("the cache is in %s for now (%s); set %s to keep it elsewhere", place, why, CACHE_VARIABLE)
    return place
