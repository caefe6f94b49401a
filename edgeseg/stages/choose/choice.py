"""A choice of threshold and post-processing as `choice.json` holds it, and what it was chosen and scored on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.place import keys_for
from edgeseg.results import RESULT_SCHEMA_VERSION, Choice

CHOICE_FILE = "choice.json"
"""What `edgeseg choose` leaves beside the folds, and `edgeseg ship` beside the weights."""


def read_choice(path: Path, *, variant: str) -> Choice:
    """Read a choice, and refuse one that was made for another network.

    Args:
        path: the file, or the folder of folds that holds it.
        variant: the slug of the network that it is for.

    Raises:
        OptionError: when there is no such file, it is damaged or of another schema, or made for another variant.
    """
    file = path / CHOICE_FILE if path.is_dir() else path
    try:
        choice = from_json(Choice, read_document(file))
    except OSError as error:
        raise OptionError(
            f"{file}: no choice of an operating point can be read ({error.strerror}); make one with 'edgeseg choose'"
        ) from error
    except (JsonFormatError, OptionError) as error:
        raise OptionError(f"{file}: not what 'edgeseg choose' writes ({error}); choose again") from error
    if choice.schema_version != RESULT_SCHEMA_VERSION:
        raise OptionError(
            f"{file} has schema version {choice.schema_version} and this edgeseg reads {RESULT_SCHEMA_VERSION}; "
            "choose again"
        )
    if choice.variant != variant:
        raise OptionError(
            f"{file} was chosen for '{choice.variant}' and the weights are of '{variant}'; a threshold belongs to its "
            "network, so choose on folds of that one"
        )
    return choice


def caveat(choice: Choice, patients: Iterable[str]) -> str | None:
    """Say what a choice is worth to a score over patients, as far as this site's keys tell; see `Choice.caveat`.

    Raises:
        OptionError: when the site's patient key is damaged, or open to others.
    """
    return choice.caveat(patients, keys_for(choice.patients))
