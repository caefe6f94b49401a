"""A salt in a file of the user's."""

from __future__ import annotations

from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.place.secret import read_secret
from edgeseg.specs import MAKE_ONE, check_salt


def read_salt(path: Path, *, named_by: str) -> str:
    """Return the salt in a file; bytes that are no text are taken as their hexadecimal digits.

    Args:
        path: the file; white space around text is left out.
        named_by: the option that names it, for messages.

    Raises:
        OptionError: when it cannot be read, or holds an empty or weak salt.
    """
    if not path.exists():
        raise OptionError(f"{named_by} names a file, and there is no such file here as the one given; {MAKE_ONE}")
    content = read_secret(path, what="the salt", private=False)
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        text = content.hex()
    return check_salt(text)
