"""What a salt must be, so that the names made with it cannot be turned back into record numbers by trying."""

from __future__ import annotations

import re

from edgeseg.errors import OptionError

MIN_SALT_BYTES = 16
_MIN_DIFFERENT = 8
"""16 random bytes, or their 32 hexadecimal digits, hold fewer different ones in less than one case of a million."""
_HEX = re.compile("(?:[0-9a-fA-F]{2})+")
MAKE_ONE = "make one with 'edgeseg key make salt.key' and give --salt salt.key, or leave the salt out to have one drawn"


def check_salt(salt: str) -> str:
    """Return a salt that is long enough and looks random.

    Hexadecimal digits count half a byte each, other text its UTF-8 bytes.

    Raises:
        OptionError: when it has fewer than 16 bytes, or few different ones; the salt itself is not shown.
    """
    size = len(salt) // 2 if _HEX.fullmatch(salt) else len(salt.encode(errors="surrogateescape"))
    what = "is empty" if not salt else f"has {size} bytes" if size < MIN_SALT_BYTES else "repeats a few characters"
    if size < MIN_SALT_BYTES or len(set(salt)) < _MIN_DIFFERENT:
        raise OptionError(
            f"the salt {what}, and whoever guesses it finds the patients behind their names by trying record numbers; "
            f"at least {MIN_SALT_BYTES} random bytes are needed: {MAKE_ONE}"
        )
    return salt
