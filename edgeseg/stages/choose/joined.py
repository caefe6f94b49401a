"""What was chosen for each of several masks, as one choice: a point for each, and the means of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from edgeseg.metrics import bootstrap_interval, median_bounds, paired_interval
from edgeseg.results import ChoiceStep
from edgeseg.specs import ClassPoint, OperatingPoint
from edgeseg.stages.choose.nested import Nested

Steps = tuple[ChoiceStep, ...]


def chosen_for(works: Sequence[Nested], names: Sequence[str]) -> tuple[OperatingPoint, bool]:
    """Choose on every patient: what ships, and whether each mask's cap was kept.

    Args:
        works: one for each mask.
        names: of the masks; none where there is one.
    """
    found = [work.on_all() for work in works]
    if not names:
        return found[0]
    points = tuple(
        ClassPoint(name=name, threshold=point.threshold, post_processing=point.post_processing)
        for name, (point, _) in zip(names, found, strict=True)
    )
    return OperatingPoint(classes=points, passes=works[0].passes), all(met for _, met in found)


def mean_steps(steps: Sequence[Steps], *, seed: int) -> Steps:
    """Join the steps of each mask: Dice is their mean for each patient, counts are summed; those of one as they are."""
    if len(steps) == 1:
        return steps[0]
    joined: list[ChoiceStep] = []
    for parts in zip(*steps, strict=True):
        joined.append(_mean(parts, joined[0] if joined else None, seed=seed))
    return tuple(joined)


def _mean(parts: Steps, plain: ChoiceStep | None, *, seed: int) -> ChoiceStep:
    dice = {patient: fmean(part.dice_by_patient[patient] for part in parts) for patient in parts[0].dice_by_patient}
    values = list(dice.values())
    low, high = median_bounds(values, seed=seed)
    before = None if plain is None else list(plain.dice_by_patient.values())
    return ChoiceStep(
        name=parts[0].name,
        flips=parts[0].flips,
        dice=bootstrap_interval(values, seed=seed),
        dice_median=median(values),
        dice_median_low=low,
        dice_median_high=high,
        delta=None if before is None else paired_interval(values, before, seed=seed),
        false_positive_slices=sum(part.false_positive_slices for part in parts),
        tumour_free_slices=sum(part.tumour_free_slices for part in parts),
        cap_met=all(part.cap_met for part in parts),
        chosen=(),
        dice_by_patient=dice,
        lesions_found=sum(part.lesions_found for part in parts),
        lesions=sum(part.lesions for part in parts),
    )
