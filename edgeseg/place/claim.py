"""Who writes into a folder: one run at a time, and no leftovers of one that was killed.

A run holds a lock on the file `.edgeseg.lock` in its folder; the system lets go of it whatever way the run ends, so a
file that stays behind locks nobody out. What is being written has a name of `staging`, which says whose it is, so the
next run that holds the folder can tell what nobody writes any more.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import logging
import os
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from edgeseg.errors import OutputError
from edgeseg.place.blame import write_error

Options = ParamSpec("Options")
Result = TypeVar("Result")
LOCK, STAGING = ".edgeseg.lock", ".edgeseg-"
_OLD_STAGING = re.compile(
    r"\.(?:(?:tflite|onnx|ort|keras)-[a-z0-9]+|weights|state|history|ranges|build|report|compress|ledger)"
    r"-[a-z0-9_]{8}\.(?:tflite|onnx|ort|hdf5|keras|safetensors|json|md|csv)"
)
"""What version 0.1 called files that it was writing."""
_OWNER = re.compile(re.escape(STAGING) + r"(?P<host>[0-9a-f]{6})-(?P<pid>\d+)-")
_DAY_S = 86_400.0
_LOG = logging.getLogger(__name__)


@contextlib.contextmanager
def claimed(out: Path, *, sweep_also: Iterable[Path] = ()) -> Iterator[None]:
    """Keep other runs of edgeseg out of a folder until the block ends, and remove what killed runs left half-written.

    The folder is made when absent, and taken away again if it is then empty. Where the file system knows no locks there
    is none, and a warning is logged.

    Args:
        out: the folder.
        sweep_also: folders in it where leftovers may lie too.

    Raises:
        OutputError: when another run writes there, or the folder cannot be written.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        handle = _lock(out)
    except OSError as error:
        _remove_empty(made)
        raise write_error(out, error) from error
    except OutputError:
        _remove_empty(made)
        raise
    try:
        for folder in (out, *sweep_also):
            sweep(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (out / LOCK).unlink()
        os.close(handle)
        _remove_empty(made)


def holding_out(
    function: Callable[Options, Result], *, unless: Callable[[], bool] = lambda: False
) -> Callable[Options, Result]:
    """Make a function hold the folder that it is given as `out=` from its first moment to its end; see `claimed`.

    Args:
        function: has a keyword `out`.
        unless: says that another process holds the folder for this one too.
    """

    @functools.wraps(function)
    def held_out(*args: Options.args, **options: Options.kwargs) -> Result:
        with contextlib.nullcontext() if unless() else claimed(Path(str(options["out"]))):
            return function(*args, **options)

    return held_out


@contextlib.contextmanager
def turn(out: Path) -> Iterator[None]:
    """Wait until no other run of edgeseg is in such a block on a folder, which is there, and keep the others waiting.

    Where the file system knows no locks there is none.
    """
    handle = os.open(out, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Remove what a killed run was writing directly in a folder; what is still being written, and all else, stays."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        ours = entry.name.startswith(STAGING) or _OLD_STAGING.fullmatch(entry.name)
        if not ours or entry.is_symlink() or not _is_left(entry):
            continue
        _LOG.info("removing %s, which a run that was killed left", entry)
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def staging(stem: str = "") -> str:
    """Return how a file or folder is to begin that this process is writing; at most 20 characters of `stem` go in."""
    named = f"{stem[:20]}-" if stem else ""
    return f"{STAGING}{_host()}-{os.getpid()}-{named}"


def _is_left(path: Path) -> bool:
    """Whether nobody writes a staging file any more: its process has ended, or is of another host and a day old.

    A lock would be surer, but HDF5 locks what it writes itself.
    """
    named = _OWNER.match(path.name)
    if named is None:
        return True
    if named["host"] == _host():
        return not _runs(int(named["pid"]))
    with contextlib.suppress(OSError):
        return time.time() - path.lstat().st_mtime > _DAY_S
    return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except ProcessLookupError:
        return False
    except (OSError, IndexError):
        return True
    return state not in ("Z", "X")


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _lock(out: Path) -> int:
    """Take the lock; tries again where the run that held it removed the file meanwhile."""
    path = out / LOCK
    while True:
        out.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                who = _holder(handle)
                os.close(handle)
                raise OutputError(
                    f"{out}: another run of edgeseg{who} writes there; wait for it, or choose another place"
                ) from error
            _LOG.warning("%s lies on a file system without locks; see to it that no other run writes there", out)
        if _is_at(handle, path):
            with contextlib.suppress(OSError):  # it only serves a message
                os.ftruncate(handle, 0)
                os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
            return handle
        os.close(handle)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _holder(handle: int) -> str:
    pid, _, host = os.pread(handle, 300, 0).decode(errors="replace").strip().partition(" ")
    if not pid.isdigit():
        return ""
    return f" (process {pid})" if host == socket.gethostname() else f" (process {pid} on {host})"


def _remove_empty(made: Iterable[Path]) -> None:
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()
