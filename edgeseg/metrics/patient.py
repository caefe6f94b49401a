"""Everything edgeseg says about one patient's mask volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics.lesions import count_lesions
from edgeseg.metrics.overlap import count_overlap, count_tumour_free
from edgeseg.metrics.surface import hd95
from edgeseg.results import PatientScore


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
