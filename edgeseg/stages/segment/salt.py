"""The salt that names DICOM patients where the user gives none: drawn once for each folder of results, and kept there.

With one salt a patient has one name in all runs into a folder, whatever happens to the files. The name cannot be traced
to the patient without the salt, the patient's number and the study's UID together.
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from edgeseg.artifacts import write_text
from edgeseg.errors import OutputError

SALT_FILE = ".edgeseg.salt"
_SALT = re.compile(r"[0-9a-f]{32}\n?")


def kept_salt(out: Path) -> str | None:
    """Read the salt of a folder of results; None where it keeps none.

    Raises:
        OutputError: when the file is there and cannot be read, or holds no salt.
    """
    path = out / SALT_FILE
    try:
        text = path.read_text("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise OutputError(
            f"{path} cannot be read ({error.strerror or error}); give --salt, or another --out"
        ) from error
    if not _SALT.fullmatch(text):
        raise OutputError(f"{path} holds no salt that edgeseg drew; take it away, or give --salt")
    return text.strip()


def drawn_salt() -> str:
    """Draw a salt, 32 hex digits."""
    return secrets.token_hex(16)


def keep_salt(out: Path, salt: str) -> None:
    """Keep a salt in a folder of results, readable by its owner alone, where none is kept yet.

    Raises:
        OutputError: when it cannot be written.
    """
    path = out / SALT_FILE
    if not path.exists():
        write_text(path, f"{salt}\n")
        path.chmod(0o600)
