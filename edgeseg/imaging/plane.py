"""A volume's slices through another axis, and back: a new order of the same voxels, nothing is resampled.

Axial slices lie from feet to head, their rows from front to back, their columns from the patient's right to the left.
Coronal ones lie from front to back and sagittal ones from right to left; the rows of both run from head to feet, as a
viewer shows them, and their columns from right to left, or from front to back.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs.plane import AXIAL, check_plane

Scalar = TypeVar("Scalar", bound=np.generic)
_AXES = {"coronal": (1, 0, 2), "sagittal": (2, 0, 1)}
"""For slices, rows and columns in turn, the axis of the axial stack."""
_BACK = {"coronal": (1, 0, 2), "sagittal": (1, 2, 0)}


def to_plane(stack: NDArray[Scalar], plane: str) -> NDArray[Scalar]:
    """See an axial stack as slices of another plane.

    Args:
        stack: `(N, H, W, ...)`, axial.
        plane: of `edgeseg.specs.PLANES`.

    Returns:
        A view: `(H, N, W, ...)` for `coronal`, `(W, N, H, ...)` for `sagittal`, itself for `axial`.

    Raises:
        OptionError: for an unknown plane.
    """
    check_plane(plane)
    return stack if plane == AXIAL else _turned(stack, _AXES[plane])[:, ::-1]


def from_plane(stack: NDArray[Scalar], plane: str) -> NDArray[Scalar]:
    """Undo `to_plane`: slices of a plane as the axial stack `(N, H, W, ...)`, a view.

    Raises:
        OptionError: for an unknown plane.
    """
    check_plane(plane)
    return stack if plane == AXIAL else _turned(stack[:, ::-1], _BACK[plane])


def plane_spacing(spacing_mm: tuple[float, float, float], plane: str) -> tuple[float, float, float]:
    """Return the distances of slices, rows and columns in a plane, from those of the axial stack.

    Raises:
        OptionError: for an unknown plane.
    """
    check_plane(plane)
    first, second, third = (0, 1, 2) if plane == AXIAL else _AXES[plane]
    return spacing_mm[first], spacing_mm[second], spacing_mm[third]


def axial_spacing(spacing_mm: tuple[float, float, float], plane: str) -> tuple[float, float, float]:
    """Undo `plane_spacing`.

    Raises:
        OptionError: for an unknown plane.
    """
    check_plane(plane)
    first, second, third = (0, 1, 2) if plane == AXIAL else _BACK[plane]
    return spacing_mm[first], spacing_mm[second], spacing_mm[third]


def _turned(stack: NDArray[Scalar], axes: tuple[int, int, int]) -> NDArray[Scalar]:
    return stack.transpose(*axes, *range(3, stack.ndim))
