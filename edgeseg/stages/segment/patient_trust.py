"""What a reader is told of how far a patient's mask is to be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgeseg.results import ClassSegmentation, PatientTrust
from edgeseg.runtime.trusted import Tally, mask_verdicts, verdict_on
from edgeseg.specs import Contract
from edgeseg.trust import NOTHING, Verdict


def patient_trust(
    tally: Tally | None, contract: Contract, volume_ml: float | None, *, empty: bool
) -> PatientTrust | None:
    """Join what the network's output tells of all masks together with the volume; None where it tells nothing.

    Of an `empty` mask, whose components were dropped, whatever its unit, there is no Dice to expect and no interval.
    """
    shares = [output.coverage for output in contract.output_trusts if output is not None]
    return _joined(verdict_on(contract, tally), shares[0] if shares else 0.0, volume_ml, empty=empty)


def class_trust(
    classes: Sequence[ClassSegmentation], tally: Tally | None, contract: Contract
) -> tuple[ClassSegmentation, ...]:
    """Give each class what the network's output tells of its mask.

    Where nothing was found of a class that is no reason to look at it: a patient need not have all of them.
    """
    if not classes:
        return ()
    given = zip(classes, mask_verdicts(contract, tally), contract.output_trusts, strict=True)
    return tuple(
        replace(
            one,
            trust=None
            if output is None or told is None or told.because == NOTHING
            else _joined(told, output.coverage, one.volume_ml, empty=not one.pixels),
        )
        for one, told, output in given
    )


def _joined(told: Verdict | None, coverage: float, volume_ml: float | None, *, empty: bool) -> PatientTrust | None:
    if told is None:
        return None
    low_ml, high_ml = (None if empty else told.interval(volume_ml)) or (None, None)
    return PatientTrust(
        dice_expected=None if empty else told.dice_expected,
        look=told.look,
        because=told.because,
        why=told.why,
        volume_low_ml=low_ml,
        volume_high_ml=high_ml,
        coverage=coverage,
    )
