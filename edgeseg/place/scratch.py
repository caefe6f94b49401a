"""Scratch folders, which are gone when their block ends, and whose disk is named where it ran full."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edgeseg.errors import ArtifactError, EdgeSegError
from edgeseg.place.blame import SCRATCH, full_scratch, scratch_error

_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES})


@contextmanager
def scratch(purpose: str = "") -> Iterator[Path]:
    """Give an empty folder among the temporary files.

    Libraries answer a full disk with errors of their own, so any error is taken for one where the disk is full.

    Args:
        purpose: goes into the folder's name.

    Raises:
        OutputError: when the folder cannot be made or its disk runs full; names `TMPDIR`.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{purpose}-" if purpose else SCRATCH))
    except OSError as error:
        raise scratch_error(_temporary_folder(), error.strerror or str(error)) from error
    try:
        yield folder
    except EdgeSegError as error:
        if isinstance(error, ArtifactError) and full_scratch() is not None:
            raise scratch_error(folder.parent, "no space is left there") from error
        raise
    except OSError as error:
        inside = error.filename is not None and Path(str(error.filename)).is_relative_to(folder)
        refused = error.errno is None or error.errno in _REFUSED  # NumPy names no number
        if refused and (inside or (error.filename is None and full_scratch() is not None)):
            raise scratch_error(folder.parent, error.strerror or str(error)) from error
        raise
    except Exception as error:
        if full_scratch() is not None:
            raise scratch_error(folder.parent, "no space is left there") from error
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def scratch_file(size_bytes: int = 0) -> BinaryIO:
    """Open a file among the temporary ones that is gone when it is closed, with room for `size_bytes` set aside.

    Without the room, writing through a memory map would end the process where the disk is full.

    Raises:
        ScratchError: when it cannot be made, or there is no such room; names `TMPDIR`.
    """
    try:
        made: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (it is what is returned)
    except OSError as error:
        raise scratch_error(_temporary_folder(), error.strerror or str(error)) from error
    try:
        if size_bytes:
            os.posix_fallocate(made.fileno(), 0, size_bytes)
    except OSError as error:
        made.close()
        raise scratch_error(_temporary_folder(), f"{size_bytes / 1e6:.1f} MB: {error.strerror or error}") from error
    return made


def write_scratch(file: BinaryIO, content: bytes) -> None:
    """Write to a scratch file.

    Raises:
        ScratchError: when the disk is full.
    """
    try:
        file.write(content)
        file.flush()
    except OSError as error:
        raise scratch_error(_temporary_folder(), error.strerror or str(error)) from error


def _temporary_folder() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path("/tmp")
