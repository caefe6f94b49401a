"""Folders that are a user's own: nobody else can put files there that are taken for edgeseg's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from edgeseg.errors import OutputError

PRIVATE_MODE = 0o700


def private_folder(path: Path) -> Path:
    """Make a folder that only this user can enter; one of this user's that others can enter is closed to them.

    Raises:
        OutputError: when it cannot be made, or belongs to somebody else.
    """
    if (why := why_not_private(path)) is not None:
        raise OutputError(f"cannot keep files in {path}: {why}; choose a folder of your own")
    return path


def why_not_private(path: Path) -> str | None:
    """Say why a folder cannot be made this user's alone, having tried; None where it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=PRIVATE_MODE, exist_ok=True)
        if path.lstat().st_uid != os.getuid() or path.stat().st_uid != os.getuid():
            return "it belongs to another user"
        if path.stat().st_mode & ~PRIVATE_MODE & 0o777:
            path.chmod(PRIVATE_MODE)
        return "other users can enter it" if stat.S_IMODE(path.stat().st_mode) & 0o077 else None
    except FileExistsError:
        return "a file stands where a folder is needed"
    except OSError as error:
        return error.strerror or str(error)
