"""What a reader is told of how far a patient's mask is to be trusted."""

from __future__ import annotations

from edgeseg.results import PatientTrust
from edgeseg.specs import Contract
from edgeseg.trust import Verdict


def patient_trust(
    told: Verdict | None, contract: Contract, volume_ml: float | None, *, empty: bool
) -> PatientTrust | None:
    """Join what the network's output tells with the volume; None where it tells nothing.

    Of an `empty` mask, whose components were dropped, whatever its unit, there is no Dice to expect and no interval.
    """
    output = None if contract.trust is None else contract.trust.output
    if told is None or output is None:
        return None
    low_ml, high_ml = (None if empty else told.interval(volume_ml)) or (None, None)
    return PatientTrust(
        dice_expected=None if empty else told.dice_expected,
        look=told.look,
        because=told.because,
        why=told.why,
        volume_low_ml=low_ml,
        volume_high_ml=high_ml,
        coverage=output.coverage,
    )
