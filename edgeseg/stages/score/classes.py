"""What each class of a network of several masks scores over the patients."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from edgeseg.metrics import bootstrap_interval
from edgeseg.results import ClassResult, ClassScore, PatientScore
from edgeseg.specs import Contract, MaskRegion, PostProcessing


def class_results(
    scores: Sequence[PatientScore], contract: Contract, *, post_processing: bool, seed: int
) -> tuple[ClassResult, ...]:
    """Sum up each class over the patients; none where the network draws one mask.

    Args:
        scores: of the patients, at least one.
        contract: of the network.
        post_processing: whether its rules were applied.
        seed: of the bootstrap.
    """
    return tuple(
        _result(region, [score.classes[place] for score in scores], post_processing=post_processing, seed=seed)
        for place, region in enumerate(contract.regions)
    )


def _result(region: MaskRegion, scores: Sequence[ClassScore], *, post_processing: bool, seed: int) -> ClassResult:
    dice = [score.dice for score in scores]
    distances = [score.hd95_px for score in scores if score.hd95_px is not None]
    lesions = sum(score.lesions for score in scores)
    free = sum(score.tumour_free_slices for score in scores)
    return ClassResult(
        name=region.name,
        dice=bootstrap_interval(dice, seed=seed),
        dice_median=median(dice),
        iou_mean=fmean(score.iou for score in scores),
        hd95_px_median=median(distances) if distances else None,
        hd95_undefined=len(scores) - len(distances),
        lesion_recall=sum(score.lesions_found for score in scores) / lesions if lesions else None,
        false_positive_slice_rate=sum(score.false_positive_slices for score in scores) / free if free else None,
        threshold=region.threshold,
        post_processing=region.post_processing if post_processing else PostProcessing(),
    )
