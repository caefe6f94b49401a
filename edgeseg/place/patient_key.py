"""The site's patient key: where it is, made on first use, and which keys this site can recognise patients with.

`EDGESEG_PATIENT_KEY` names the file; else it is `edgeseg/patient.key` in the user's folder for configurations. Each
line is a key: the first makes pseudonyms, all of them recognise. It is not among weights, builds or caches, so that
nothing which is handed on can hold it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from edgeseg.errors import OptionError, OutputError
from edgeseg.place.secret import make_secret, read_secret
from edgeseg.specs import PatientKey, is_public, key_ids

KEY_VARIABLE = "EDGESEG_PATIENT_KEY"
_CONFIG_VARIABLE = "XDG_CONFIG_HOME"
_LINE = re.compile(b"[0-9a-fA-F]{64}")


def key_place() -> Path:
    """Where the site's key is, or would be made.

    Raises:
        OptionError: when `EDGESEG_PATIENT_KEY` is set and empty, or there is no home folder either.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        if not given.strip():
            raise OptionError(f"{KEY_VARIABLE} is set and empty; name the file of the patient key, or unset it")
        return Path(given)
    try:
        return Path(os.environ.get(_CONFIG_VARIABLE) or Path.home() / ".config") / "edgeseg" / "patient.key"
    except RuntimeError as error:
        raise OptionError(
            f"there is no home folder for the patient key; set {KEY_VARIABLE} to a file of your own"
        ) from error


def known_keys() -> tuple[PatientKey, ...]:
    """Return the keys of the site, the one that makes pseudonyms first; none where there is no file.

    Raises:
        OptionError: when the file is damaged, or open to others.
    """
    path = key_place()
    if not path.exists() and not path.is_symlink():
        return ()
    lines = [line.strip() for line in read_secret(path, what="the patient key", private=True).splitlines()]
    if bad := next((number for number, line in enumerate(lines, 1) if line and not _LINE.fullmatch(line)), None):
        raise OptionError(
            f"{path}: line {bad} is no patient key, which is 64 hexadecimal digits; restore the file from a backup. A "
            "new key cannot recognise patients in what the old one made"
        )
    if not any(lines):
        raise OptionError(
            f"{path}: the patient key is empty; restore the file from a backup, or remove it so that a new key is "
            "made, which cannot recognise patients in what the old one made"
        )
    return tuple(PatientKey(secret=bytes.fromhex(line.decode())) for line in lines if line)


def keys_for(entries: Iterable[str]) -> tuple[PatientKey, ...]:
    """Return the site's keys where pseudonyms are among the entries; else none, and no file is looked at."""
    return known_keys() if key_ids(entries) else ()


def key_for(patients: Iterable[str]) -> PatientKey | None:
    """Return the key that makes pseudonyms of these patients, made on first use; None where all ids are public.

    Raises:
        OptionError: when the file is damaged, or open to others.
        OutputError: when it has to be made and cannot be.
    """
    if all(map(is_public, patients)):
        return None
    if not (keys := known_keys()):
        try:
            make_secret(key_place())
        except OutputError as error:
            if not known_keys():  # or else another process made it in the meantime
                raise OutputError(
                    f"what travels names patients by pseudonyms, and the key for them cannot be made ({error}); set "
                    f"{KEY_VARIABLE} to a file in a folder of your own"
                ) from error
        keys = known_keys()
    return keys[0]


def missing_keys(entries: Iterable[str]) -> str | None:
    """Say which keys are missing to recognise the patients behind pseudonyms, and what to do; None where none is."""
    missing = [name for name in key_ids(entries) if name not in {key.id for key in keys_for(entries)}]
    if not missing:
        return None
    path, here = key_place(), known_keys()
    there = f"{path} holds {', '.join(key.id for key in here)}" if here else f"there is no key at {path}"
    return (
        f"patient key {', '.join(missing)} is not here ({there}); only where it was made, or where a backup of it is "
        f"put on a line of that file, can be told who was seen"
    )
