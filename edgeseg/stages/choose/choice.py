"""A choice of threshold and post-processing as `choice.json` holds it, and what it was chosen and scored on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.place import keys_for
from edgeseg.regular import stands
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


def choice_beside(run: Path) -> Path | None:
    """Return the file that `edgeseg choose` left in a run's folder, or in that of folds; None where there is none."""
    file = (run if run.is_dir() else run.parent) / CHOICE_FILE
    return file if stands(file) else None


def choice_for(run: Path, *, variant: str, weights_sha256: str) -> Choice | None:
    """Read the choice that lies in a run's folder, and refuse one that was made for weights that are no longer there.

    Args:
        run: the folder, or a file in it.
        variant: the slug of its network.
        weights_sha256: of its weights.

    Raises:
        OptionError: as `read_choice`, or when the run was trained anew since.
    """
    file = choice_beside(run)
    if file is None:
        return None
    choice = read_choice(file, variant=variant)
    if weights_sha256 not in {group.weights_sha256 for group in choice.groups}:
        raise OptionError(
            f"{file} was chosen for other weights than those beside it; choose again with 'edgeseg choose "
            f"{file.parent} --data DIR', or name the file with --choice to take it all the same"
        )
    return choice


def caveat(choice: Choice, patients: Iterable[str]) -> str | None:
    """Say what a choice is worth to a score over patients, as far as this site's keys tell; see `Choice.caveat`.

    Raises:
        OptionError: when the site's patient key is damaged, or open to others.
    """
    return choice.caveat(patients, keys_for(choice.patients))
