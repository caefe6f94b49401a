"""Opening files: regular ones alone, since a pipe that nobody writes to is waited for without end.

What is taken along where it is there is asked for with `stands`: a folder or a link that leads nowhere is an error of
whatever reads it, and not the same as nothing.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NOT_REGULAR = "it is a pipe, a device or a socket, and not a file"


def stands(path: Path) -> bool:
    """Whether anything has this name, also a folder, a pipe, or a link that leads nowhere.

    Raises:
        OSError: when its folder cannot be searched.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading.

    Raises:
        OSError: when it cannot be opened, or is anything else (`EINVAL`, with the reason as its text).
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, NOT_REGULAR, str(path))
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise
