"""What a build says of the operating point that it was given."""

from __future__ import annotations

from collections.abc import Iterable

from edgeseg.stages.build.inputs import BuildInputs
from edgeseg.stages.choose import caveat
from edgeseg.stages.trust import left_out


def said_of_point(inputs: BuildInputs, patients: Iterable[str]) -> str | None:
    """Say what the point is worth to scores over patients, and that trust is left out where it is of another point.

    Raises:
        OptionError: when the site's patient key is damaged, or what lies beside the weights cannot be read.
    """
    if inputs.choice is None:
        return None
    why = left_out(inputs.checkpoint.path, inputs.choice.chosen) if inputs.choice_given else None
    said = (caveat(inputs.choice, patients), why and f"NO TRUST in these artifacts: {why}.")
    return " ".join(filter(None, said)) or None
