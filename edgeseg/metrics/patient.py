"""Everything edgeseg says about one patient's mask volume."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics.lesions import count_lesions
from edgeseg.metrics.overlap import count_overlap, count_tumour_free
from edgeseg.metrics.surface import hd95
from edgeseg.results import ClassScore, PatientScore


def score_classes(
    prediction: NDArray[np.bool_],
    reference: NDArray[np.bool_],
    *,
    names: Sequence[str],
    patient: str,
    institution: str = "",
) -> PatientScore:
    """Score one patient's masks of several classes, each over the whole volume, and together.

    Args:
        prediction: `(N, H, W, K) bool`, on the grid of the reference.
        reference: `(N, H, W, K) bool`.
        names: of the K classes.
        patient: the id that goes into the result.
        institution: the patient's institution, or "".

    Raises:
        ValueError: when the volumes of a class are not bool of one 3-D shape.
        MissingExtraError: when SciPy is not installed.
    """
    planes = (
        score_patient(prediction[..., k], reference[..., k], patient=patient, institution=institution)
        for k in range(len(names))
    )
    classes = tuple(_of_class(name, score) for name, score in zip(names, planes, strict=True))
    distances = [one.hd95_px for one in classes if one.hd95_px is not None]
    return PatientScore(
        patient=patient,
        institution=institution,
        slices=reference.shape[0],
        dice=fmean(one.dice for one in classes),
        iou=fmean(one.iou for one in classes),
        precision=fmean(one.precision for one in classes),
        recall=fmean(one.recall for one in classes),
        pixel_accuracy=fmean(one.pixel_accuracy for one in classes),
        hd95_px=fmean(distances) if len(distances) == len(classes) else None,
        lesions=sum(one.lesions for one in classes),
        lesions_found=sum(one.lesions_found for one in classes),
        tumour_free_slices=sum(one.tumour_free_slices for one in classes),
        false_positive_slices=sum(one.false_positive_slices for one in classes),
        classes=classes,
    )


def _of_class(name: str, score: PatientScore) -> ClassScore:
    return ClassScore(
        name=name,
        dice=score.dice,
        iou=score.iou,
        precision=score.precision,
        recall=score.recall,
        pixel_accuracy=score.pixel_accuracy,
        hd95_px=score.hd95_px,
        lesions=score.lesions,
        lesions_found=score.lesions_found,
        tumour_free_slices=score.tumour_free_slices,
        false_positive_slices=score.false_positive_slices,
    )


def score_patient(
    prediction: NDArray[np.bool_], reference: NDArray[np.bool_], *, patient: str, institution: str = ""
) -> PatientScore:
    """Score one patient over the whole volume.

    Args:
        prediction: `(N, H, W) bool`, on the grid of the reference.
        reference: `(N, H, W) bool`.
        patient: the id that goes into the result.
        institution: the patient's institution, or "".

    Raises:
        ValueError: when the volumes are not bool of one 3-D shape.
        MissingExtraError: when SciPy is not installed.
    """
    overlap = count_overlap(prediction, reference)
    lesions = count_lesions(prediction, reference)
    slices = count_tumour_free(prediction, reference)
    return PatientScore(
        patient=patient,
        institution=institution,
        slices=reference.shape[0],
        dice=overlap.dice,
        iou=overlap.iou,
        precision=overlap.precision,
        recall=overlap.recall,
        pixel_accuracy=overlap.pixel_accuracy,
        hd95_px=hd95(prediction, reference),
        lesions=lesions.lesions,
        lesions_found=lesions.found,
        tumour_free_slices=slices.tumour_free,
        false_positive_slices=slices.false_positive,
    )
