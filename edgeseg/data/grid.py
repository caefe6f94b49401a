"""Where voxels are: index to patient coordinates, and the one orientation that scans are brought to.

Patient coordinates are those of DICOM, in mm: x to the patient's left, y to the back, z to the head (LPS). The
orientation is that of an axial slice on a viewer and of the training data: slices from feet to head, rows from front
to back, columns from the patient's right to the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import DatasetError

MAX_TILT_DEG = 30.0
MAX_PIXEL_MM = 3.0
_MAX_SHEAR = 0.01
_SAME_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """A grid of voxels.

    Attributes:
        shape: slices, rows, columns.
        affine: `(4, 4) float64`; index `(slice, row, column, 1)` to LPS mm of the voxel's centre.
        steps: where slices do not lie at equal distances, the place of each along the first axis, rising from 0, as
            multiples of the usual distance, which is that of `affine`; else None.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    steps: NDArray[np.float64] | None = None

    def step(self, index: int) -> float:
        """Return how many usual distances slice `index` lies from the first."""
        return float(index) if self.steps is None else float(self.steps[index])

    def index(self, step: NDArray[np.float64]) -> NDArray[np.float64]:
        """Undo `step` between slices too; beyond the ends the nearest slice."""
        return step if self.steps is None else np.interp(step, self.steps, np.arange(len(self.steps)))

    @property
    def extent(self) -> tuple[float, int, int]:
        """How many voxels of the usual size the grid spans along each axis."""
        return self.step(self.shape[0] - 1) + 1, self.shape[1], self.shape[2]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distances between the centres of slices, rows and columns."""
        slices, rows, columns = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return slices, rows, columns

    @property
    def top_mm(self) -> float:
        """How far towards the head the centre of the uppermost slice lies."""
        rows, columns = (size - 1 for size in self.shape[1:])
        return float((self.affine @ [self.extent[0] - 1, rows / 2, columns / 2, 1])[2])

    def same_as(self, other: Grid) -> bool:
        """Whether every voxel lies within a tenth of a pixel of the same voxel of `other`."""
        if self.shape != other.shape or any(
            abs(self.step(i) - other.step(i)) > _SAME_SHARE for i in range(self.shape[0])
        ):
            return False
        apart = np.linalg.norm((self._corners() @ (self.affine - other.affine).T)[:, :3], axis=1)
        return bool(apart.max() <= _SAME_SHARE * min(self.spacing_mm))

    def _corners(self) -> NDArray[np.float64]:
        ends = [(0, size - 1) for size in self.extent]
        return np.array([(s, r, c, 1) for s in ends[0] for r in ends[1] for c in ends[2]], np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How a stored array is seen in the common orientation.

    Attributes:
        axes: for slices, rows and columns in turn, the axis of the stored array.
        flips: whether that axis is seen backwards.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def index(self, number: int, count: int) -> int:
        """Return the stored index of slice `number` of `count`."""
        return count - 1 - number if self.flips[0] else number

    def plane(self, stored: NDArray[np.generic]) -> NDArray[np.generic]:
        """Turn a stored plane, its two axes in the stored order, into rows and columns of the common orientation."""
        seen = stored if self.axes[1] < self.axes[2] else stored.T
        return seen[:: -1 if self.flips[1] else 1, :: -1 if self.flips[2] else 1]

    def stored(self, plane: NDArray[np.generic]) -> NDArray[np.generic]:
        """Undo `plane`."""
        back = plane[:: -1 if self.flips[1] else 1, :: -1 if self.flips[2] else 1]
        return back if self.axes[1] < self.axes[2] else back.T


def common_view(
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    source: str,
    steps: NDArray[np.float64] | None = None,
    uneven: str = "",
) -> tuple[Grid, View]:
    """Find the view of a stored volume in the common orientation.

    Args:
        shape: of the stored array, three axes.
        affine: `(4, 4) float64`, stored index to LPS mm.
        source: for messages.
        steps: as those of `Grid`, along the first stored axis, which then has to run from feet to head.
        uneven: for messages, what is odd about the steps.

    Raises:
        DatasetError: when the geometry is impossible, sheared, more than 30 degrees oblique, or when axial slices
            would have pixels above 3 mm.
    """
    sides = np.linalg.norm(affine[:3, :3], axis=0)
    if not np.isfinite(affine).all() or (sides < 1e-6).any():
        raise DatasetError(f"{source}: its geometry is not a grid (voxels of no size); export it again")
    cosines = affine[:3, :3] / sides
    if np.abs(cosines.T @ cosines - np.eye(3)).max() > _MAX_SHEAR:
        raise DatasetError(f"{source}: its axes are not at right angles; resample it to a plain grid first")
    axes = (int(np.abs(cosines[2]).argmax()), int(np.abs(cosines[1]).argmax()), int(np.abs(cosines[0]).argmax()))
    along = [cosines[patient, axis] for patient, axis in zip((2, 1, 0), axes, strict=True)]
    tilt = float(np.degrees(np.arccos(np.clip(np.abs(along), 0.0, 1.0)).max()))
    if len(set(axes)) < 3 or tilt > MAX_TILT_DEG:
        raise DatasetError(
            f"{source}: the volume is oblique by {tilt:.0f} degrees; axial slices are needed, at most "
            f"{MAX_TILT_DEG:.0f} degrees from the body's axes; resample it to an axial grid first"
        )
    view = View(axes=axes, flips=(bool(along[0] < 0), bool(along[1] < 0), bool(along[2] < 0)))
    if steps is not None and (view.axes[0] != 0 or view.flips[0]):
        raise DatasetError(
            f"{source} is not axial and its slices lie at unequal distances ({uneven or 'some are missing'}), which "
            "only axial slices may; export it whole, or resample it to a plain grid first"
        )
    grid = _seen(shape, affine, view, steps)
    if max(grid.spacing_mm[1:]) > MAX_PIXEL_MM:
        raise DatasetError(
            f"{source}: seen as axial slices its pixels are {grid.spacing_mm[1]:.1f} x {grid.spacing_mm[2]:.1f} mm, "
            f"and at most {MAX_PIXEL_MM:g} mm are taken; give finer pixels (a sagittal or coronal "
            "acquisition with thick slices has none)"
        )
    return grid, view


def _seen(shape: tuple[int, ...], affine: NDArray[np.float64], view: View, steps: NDArray[np.float64] | None) -> Grid:
    """Put the stored grid's axes in the view's order and direction."""
    seen = np.zeros((4, 4))
    origin = affine[:, 3].copy()
    for place, (axis, flip) in enumerate(zip(view.axes, view.flips, strict=True)):
        seen[:, place] = -affine[:, axis] if flip else affine[:, axis]
        if flip:
            origin += (shape[axis] - 1) * affine[:, axis]
    seen[:, 3] = origin
    slices, rows, columns = (shape[axis] for axis in view.axes)
    return Grid(shape=(slices, rows, columns), affine=seen, steps=steps)
