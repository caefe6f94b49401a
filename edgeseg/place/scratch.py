"""Scratch folders, which are gone when their block ends, and whose disk is named where it ran full."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def _temporary_folder() -> Path:
    try:
        return Path(tempfile.gettempdir())
    except OSError:
        return Path("/tmp")
