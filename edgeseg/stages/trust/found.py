"""What `edgeseg trust` found, as `trust.json` holds it beside the weights that it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.regular import stands
from edgeseg.results import RESULT_SCHEMA_VERSION, TrustResult
from edgeseg.specs import Contract, Trust
from edgeseg.stages.train import WEIGHTS, fold_folders

TRUST_FILE = "trust.json"
"""What `edgeseg trust` leaves beside the weights, and `edgeseg ship` too."""
_MOST_SAID = 8


def read_trust(path: Path) -> TrustResult:
    """Read what was found: a file, or the one in a folder.

    Raises:
        OptionError: when there is no such file, it is damaged, or of another schema.
    """
    file = path / TRUST_FILE if path.is_dir() else path
    again = "make one with 'edgeseg trust'"
    try:
        found = from_json(TrustResult, read_document(file))
    except OSError as error:
        raise OptionError(f"{file}: cannot be read ({error.strerror}); {again}") from error
    except (JsonFormatError, OptionError) as error:
        raise OptionError(f"{file}: not what 'edgeseg trust' writes ({error}); {again}") from error
    if found.schema_version != RESULT_SCHEMA_VERSION:
        raise OptionError(
            f"{file} has schema version {found.schema_version} and this edgeseg reads {RESULT_SCHEMA_VERSION}; {again}"
        )
    return found


def trust_beside(run: Path) -> Path | None:
    """Return the file that lies in a run's folder, or in that of folds; None where there is none."""
    file = (run if run.is_dir() else run.parent) / TRUST_FILE
    return file if stands(file) else None


def trust_for(run: Path, *, weights_sha256: str) -> TrustResult | None:
    """Read the file that lies in a run's folder, and refuse one that was made for weights that are no longer there.

    Of a fold, whose folder has none, that of the folds is taken where it is for this fold's weights.

    Args:
        run: the folder, or a file in it.
        weights_sha256: of its weights.

    Raises:
        OptionError: as `read_trust`, or when the run was trained anew since; of folds, all of them.
    """
    file = trust_file(run)
    if file is None:
        return None
    found = read_trust(file)
    if found.weights_sha256 == weights_sha256:
        return found
    if file != trust_beside(run) and found.weights_sha256 in _of_folds(file.parent):
        return None
    raise OptionError(
        f"{file} was made for other weights than those beside it; make it again with 'edgeseg trust {file.parent} "
        "--data DIR', or move it away"
    )


def trust_file(run: Path) -> Path | None:
    """Find the file that says how far a run's masks are to be trusted: its own, or of a fold that of the folds."""
    folder = run if run.is_dir() else run.parent
    above = folder.parent / TRUST_FILE
    return trust_beside(run) or (above if folder in fold_folders(folder.parent) and stands(above) else None)


def _of_folds(folder: Path) -> set[str]:
    weights = (fold / WEIGHTS for fold in fold_folders(folder))
    return {artifacts.sha256_file(file) for file in weights if stands(file)}


def trusted(run: Path, contract: Contract, *, weights_sha256: str, chosen: bool = False) -> Contract:
    """Return a contract with what lies beside the weights on trust in its masks; itself where nothing does.

    Args:
        run: the folder of the weights, or a file in it.
        contract: at the operating point that it ships with.
        weights_sha256: of the weights.
        chosen: the point was asked for, so that what was fitted at another one is left out (`left_out`).

    Raises:
        OptionError: as `trust_for`, and when it was fitted on masks at another point, of others, or on other channels.
    """
    found = trust_for(run, weights_sha256=weights_sha256)
    if found is None:
        return contract
    again = "make it again with 'edgeseg trust', or move it away"
    if (why := _elsewhere(trust_file(run), found, contract)) is not None:
        if chosen:
            return contract
        raise OptionError(f"{why}; {again}")
    try:
        return with_trust(contract, found)
    except OptionError as error:
        raise OptionError(f"{trust_file(run)}: {error}; {again}") from error


def with_trust(contract: Contract, found: TrustResult) -> Contract:
    """Return a contract with what was found, of each of its masks.

    Raises:
        OptionError: when it is of other masks or channels.
    """
    of = {one.name: one.trust for one in found.classes}
    drawn = [region.name for region in contract.regions]
    if sorted(found.masks) != sorted(drawn):
        raise OptionError(f"it is of {_said(found.masks)}, and the network draws {_said(drawn)}")
    look = None if found.inputs is None else found.inputs.look
    made = None if found.trust is None and look is None else Trust(output=found.trust, input=look)
    regions = tuple(replace(region, trust=of.get(region.name)) for region in contract.regions)
    return replace(contract, trust=made, regions=regions).versioned()


def left_out(run: Path, contract: Contract, *, weights_sha256: str) -> str | None:
    """Say why what lies beside the weights does not go for a contract's point; None where it does, or nothing is there.

    Raises:
        OptionError: as `trust_for`.
    """
    found = trust_for(run, weights_sha256=weights_sha256)
    return None if found is None else _elsewhere(trust_file(run), found, contract)


def _elsewhere(file: Path | None, found: TrustResult, contract: Contract) -> str | None:
    """Compare points, of several masks those that both name; masks are compared by `with_trust`."""
    made = _thresholds(found)
    drawn = {region.name: region.threshold for region in contract.regions} or {"": contract.threshold}
    given = {name: threshold for name, threshold in drawn.items() if name in made}
    made = {name: made[name] for name in given}
    if (made, found.passes) == (given, contract.passes):
        return None
    return (
        f"{file} was made for masks at threshold {_at(made)}, passes {found.passes}, and the network is given "
        f"{_at(given)}, passes {contract.passes}"
    )


def _thresholds(found: TrustResult) -> dict[str, float]:
    if found.trust is not None:
        return {"": found.threshold}
    return {one.name: one.threshold for one in found.classes}


def _said(masks: Sequence[str]) -> str:
    more = f" and {len(masks) - _MOST_SAID} more" if len(masks) > _MOST_SAID else ""
    return f"{', '.join(masks[:_MOST_SAID])}{more}" if masks else "one mask"


def _at(thresholds: dict[str, float]) -> str:
    named = (f"{threshold:g}{f' ({name})' if name else ''}" for name, threshold in thresholds.items())
    return ", ".join(named) or "of none of its masks"
