"""Lesions of a volume, and how many of them a prediction touches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import MissingExtraError
from edgeseg.metrics.overlap import check_volumes


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionCount:
    """Reference lesions, and how many of them were found."""

    lesions: int
    found: int


def count_lesions(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> LesionCount:
    """Count the reference lesions and those that the prediction finds.

    A lesion is a 3-D connected component of the reference under 26-connectivity (voxels that share a face, an edge or
    a corner). It is found when at least one predicted voxel lies in it. None is ignored for being small, so a single
    stray reference voxel counts as a lesion.

    Args:
        prediction: `(N, H, W) bool`.
        reference: `(N, H, W) bool`.

    Raises:
        ValueError: when the volumes are not bool of one 3-D shape.
        MissingExtraError: when SciPy is not installed.
    """
    check_volumes(prediction, reference)
    try:
        from scipy import ndimage
    except ImportError as error:
        raise MissingExtraError("scipy", "build", "lesion counting") from error
    labels, lesions = ndimage.label(reference, structure=np.ones((3, 3, 3), np.bool_))
    touched = np.unique(labels[prediction & reference])
    return LesionCount(lesions=int(lesions), found=int(touched.size))
