"""Distance between the surfaces of two mask volumes: the 95th-percentile Hausdorff distance, HD95.

Definition, since published figures differ in it:

- Distances are Euclidean in pixels of the slice grid, spacing 1 in all three axes. The data sets edgeseg reads are
  plain images without spacing, so a figure here is not in millimetres and does not compare with one that is.
- The surface of a mask is its voxels with at least one of the 6 face neighbours outside the mask; what lies beyond the
  volume counts as outside.
- From every surface voxel of either mask, the distance to the nearest surface voxel of the other; both directions are
  pooled, and HD95 is the 95th percentile of the pool (linear interpolation).
- Both masks empty: 0.0, they agree. Exactly one empty: None, no distance exists. A caller counts those cases instead
  of inventing a number for them.

Huttenlocher et al., IEEE TPAMI 15(9), 1993 for the distance; Menze et al., IEEE TMI 34(10), 2015 for the 95th
percentile in brain-tumour segmentation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import MissingExtraError
from edgeseg.metrics.overlap import check_volumes


def hd95(prediction: NDArray[np.bool_], reference: NDArray[np.bool_]) -> float | None:
    """Return the 95th percentile of the pooled surface distances in pixels, symmetric in its arguments.

    Args:
        prediction: `(N, H, W) bool`.
        reference: `(N, H, W) bool`.

    Returns:
        Pixels >= 0; 0.0 when both are empty; None when exactly one is.

    Raises:
        ValueError: when the volumes are not bool of one 3-D shape.
        MissingExtraError: when SciPy is not installed.
    """
    check_volumes(prediction, reference)
    predicted, true = bool(prediction.any()), bool(reference.any())
    if not predicted and not true:
        return 0.0
    if not (predicted and true):
        return None
    there, back = surface_distances(prediction, reference)
    return float(np.percentile(np.concatenate([there, back]), 95.0))


def surface_distances(
    prediction: NDArray[np.bool_], reference: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance from each surface voxel of one mask to the surface of the other, both ways.

    Args:
        prediction: `(N, H, W) bool`, not empty.
        reference: `(N, H, W) bool`, not empty.

    Returns:
        `(P,) float64` from the P surface voxels of the prediction, and `(R,) float64` from the R of the reference, in
        pixels.

    Raises:
        MissingExtraError: when SciPy is not installed.
    """
    try:
        from scipy.spatial import KDTree
    except ImportError as error:
        raise MissingExtraError("scipy", "build", "surface distance") from error
    ours, theirs = (np.argwhere(surface(mask)) for mask in (prediction, reference))
    there = KDTree(theirs).query(ours)[0]
    back = KDTree(ours).query(theirs)[0]
    return np.asarray(there, np.float64), np.asarray(back, np.float64)


def surface(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the voxels of a mask that have a face neighbour outside it.

    Args:
        mask: `(N, H, W) bool`.

    Returns:
        `(N, H, W) bool`, a subset of `mask`.
    """
    padded = np.pad(mask, 1)
    inner = (slice(1, -1),) * 3
    inside = mask.copy()
    for axis in range(3):
        for step in (-1, 1):
            inside &= np.roll(padded, step, axis=axis)[inner]
    return mask & ~inside
