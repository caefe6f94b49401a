"""Files that hold a secret: made with random bytes for their owner alone, and read with care."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import tempfile
from pathlib import Path

from edgeseg.errors import OptionError, OutputError

SECRET_BYTES = 32
_MOST_BYTES = 64 << 10
_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})


def make_secret(path: Path) -> Path:
    """Write 32 random bytes as 64 hexadecimal digits and a line's end, readable by the owner alone (0600).

    The file comes to its place whole, and never over another: of two processes that make it, one wins and both read
    the same.

    Raises:
        OutputError: when something is there already, or the place cannot be written.
    """
    content = (secrets.token_hex(SECRET_BYTES) + "\n").encode()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        try:
            _write(number, content)
            _link(Path(name), path, content)
        finally:
            Path(name).unlink(missing_ok=True)
    except FileExistsError as error:
        raise OutputError(f"{path}: something is there, and a key is never overwritten; name another file") from error
    except OSError as error:
        raise OutputError(f"cannot write the key {path}: {error.strerror}; name a place that can be written") from error
    return path


def _link(written: Path, path: Path, content: bytes) -> None:
    """Give a file its name where nothing has that yet; where there are no hard links, write it there."""
    try:
        path.hardlink_to(written)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _write(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), content)


def _write(number: int, content: bytes) -> None:
    with os.fdopen(number, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def read_secret(path: Path, *, what: str, private: bool) -> bytes:
    """Read a file that holds a secret.

    Args:
        path: a regular file of at most 64 KiB.
        what: names it in errors, such as `the patient key`.
        private: refuse one that others than its owner may read or write.

    Raises:
        OptionError: when it is missing, no regular file, too long, or open to others; no error shows what it holds.
    """
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(number, "rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OptionError(f"{path}: {what} is no regular file; name a file")
            if private and os.name == "posix" and found.st_mode & 0o077:
                raise OptionError(
                    f"{path}: {what} can be read or written by others (its mode is {found.st_mode & 0o777:04o}); run: "
                    f"chmod 600 '{path}'"
                )
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise OptionError(
            f"{path}: {what} cannot be read ({said}); name a file that 'edgeseg key make FILE' made"
        ) from error
    if len(content) > _MOST_BYTES:
        raise OptionError(f"{path}: {what} is longer than {_MOST_BYTES >> 10} KiB; name a file that holds it alone")
    return content
