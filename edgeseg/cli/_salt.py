"""The salt of `edgeseg run`: from a file or the environment, never from the command line, which others can read."""

from __future__ import annotations

SALT_VARIABLE = "EDGESEG_SALT"


def salt_of(option: str | None) -> str | None:
    """Return the salt in the file that `--salt` names, else that of the environment, else None.

    Bytes that are no text are taken as their hexadecimal digits; white space around text is left out.

    Raises:
        OptionError: when the file cannot be read, or either holds an empty or weak salt.
    """
    import os
    from pathlib import Path

    from edgeseg.place import read_salt
    from edgeseg.specs import check_salt

    if option is None:
        return None if (given := os.environ.get(SALT_VARIABLE)) is None else check_salt(given.strip())
    if not option.strip():
        check_salt("")
    return read_salt(Path(option), named_by="--salt")
