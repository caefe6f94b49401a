"""How each patient fares with one artifact instead of another: what a mean over patients hides."""

from __future__ import annotations

from edgeseg.results import ClinicalChange, EvalResult

NOTABLE_DICE = 0.05


def clinical_change(before: EvalResult, after: EvalResult) -> ClinicalChange | None:
    """Compare two evaluations patient by patient, over those that both scored; None where there is none.

    Args:
        before: of what is given up.
        after: of what takes its place.
    """
    was = {score.patient: score for score in before.patients}
    pairs = [(was[score.patient], score) for score in after.patients if score.patient in was]
    if not pairs:
        return None
    moves = [new.dice - old.dice for old, new in pairs]
    old_worst, new_worst = pairs[moves.index(min(moves))]
    return ClinicalChange(
        patients=len(pairs),
        worst_patient=new_worst.patient,
        worst_dice_before=old_worst.dice,
        worst_dice_after=new_worst.dice,
        notable_dice=NOTABLE_DICE,
        patients_lower=sum(move < -NOTABLE_DICE for move in moves),
        patients_higher=sum(move > NOTABLE_DICE for move in moves),
        lesions=sum(old.lesions for old, _ in pairs),
        lesions_found_before=sum(old.lesions_found for old, _ in pairs),
        lesions_found_after=sum(new.lesions_found for _, new in pairs),
        tumour_free_slices=sum(old.tumour_free_slices for old, _ in pairs),
        false_positive_slices_before=sum(old.false_positive_slices for old, _ in pairs),
        false_positive_slices_after=sum(new.false_positive_slices for _, new in pairs),
    )
