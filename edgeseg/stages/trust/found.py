"""What `edgeseg trust` found, as `trust.json` holds it beside the weights that it is for."""

from __future__ import annotations

from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_json, read_document
from edgeseg.regular import stands
from edgeseg.results import RESULT_SCHEMA_VERSION, TrustResult
from edgeseg.specs import Contract, OperatingPoint, Trust
from edgeseg.specs.trust import check_trust

TRUST_FILE = "trust.json"
"""What `edgeseg trust` leaves beside the weights, and `edgeseg ship` too."""


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

    Args:
        run: the folder, or a file in it.
        weights_sha256: of its weights.

    Raises:
        OptionError: as `read_trust`, or when the run was trained anew since.
    """
    file = trust_beside(run)
    if file is None:
        return None
    found = read_trust(file)
    if found.weights_sha256 != weights_sha256:
        raise OptionError(
            f"{file} was made for other weights than those beside it; make it again with 'edgeseg trust {file.parent} "
            "--data DIR', or move it away"
        )
    return found


def contract_trust(run: Path, contract: Contract, *, weights_sha256: str, chosen: bool = False) -> Trust | None:
    """Return what a contract says of trust, of what lies beside the weights; None where nothing does.

    Args:
        run: the folder of the weights, or a file in it.
        contract: at the operating point that it ships with.
        weights_sha256: of the weights.
        chosen: the point was asked for, so that what was fitted at another one is left out (`left_out`).

    Raises:
        OptionError: as `trust_for`, and when it was fitted on masks at another point, or on other channels.
    """
    found = trust_for(run, weights_sha256=weights_sha256)
    if found is None or contract.regions:
        return None
    if (why := left_out(run, OperatingPoint.of(contract))) is not None:
        if chosen:
            return None
        raise OptionError(f"{why}; make it again with 'edgeseg trust', or move it away")
    made = Trust(output=found.trust, input=None if found.inputs is None else found.inputs.look)
    try:
        check_trust(made, masks=1, channels=len(contract.channels))
    except OptionError as error:
        raise OptionError(
            f"{trust_beside(run)}: {error}; make it again with 'edgeseg trust', or move it away"
        ) from error
    return made


def left_out(run: Path, point: OperatingPoint) -> str | None:
    """Say why what lies beside the weights does not go for an operating point; None where it does, or nothing is there.

    Raises:
        OptionError: as `read_trust`.
    """
    file = trust_beside(run)
    if file is None or point.classes:
        return None
    found = read_trust(file)
    if (found.threshold, found.passes) == (point.threshold, point.passes):
        return None
    return (
        f"{file} was made for masks at threshold {found.threshold:g}, passes {found.passes}, and the network is given "
        f"{point.threshold:g}, passes {point.passes}"
    )
