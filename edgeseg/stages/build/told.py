"""What a build says of the operating point that it was given."""

from __future__ import annotations

from collections.abc import Iterable

from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.choose import caveat
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust import left_out


def said_of_point(inputs: BuildInputs, patients: Iterable[str]) -> str | None:
    """Say what the point is worth to scores over patients, and that trust is left out where it is of another point.

    Raises:
        OptionError: when the site's patient key is damaged, or what lies beside the weights cannot be read.
    """
    contract = inputs.dressed(checkpoint_contract(inputs.checkpoint.header, public_ids=True))
    why = left_out(inputs.checkpoint.path, contract, weights_sha256=inputs.weights_sha256)
    of_choice = None if inputs.choice is None else caveat(inputs.choice, patients)
    said = (of_choice, why and f"NO TRUST in these artifacts: {why}.")
    return " ".join(filter(None, said)) or None
