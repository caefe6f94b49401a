"""One sequence of one patient, read slice by slice, and seen on another sequence's grid."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.grid import Grid
from edgeseg.data.origin import Origin
from edgeseg.errors import DatasetError

Plane = NDArray[np.float64]
_PROBES = 12


class Sequence(Protocol):
    """A stack of slices, feet to head where the files know it; `plane` may be called from several threads at once."""

    @property
    def source(self) -> str:
        """What it was read from, for messages; holds nothing that is inside a DICOM file."""

    @property
    def kind(self) -> str:
        """The format, as results name it."""

    @property
    def mask_formats(self) -> tuple[str, ...]:
        """What masks on its voxels may be written as, out of `edgeseg.specs.MASK_FORMATS`; the first is its own."""

    @property
    def origin(self) -> Origin:
        """Whose it is, as far as the files tell."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""

    @property
    def grid(self) -> Grid | None:
        """Where the voxels are; None where the files do not say."""

    @property
    def is_bytes(self) -> bool:
        """Whether the values are stored as 8-bit grey and taken as they are."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd and could be dealt with."""

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`, in the file's own unit; NaN where the file has NaN."""

    def close(self) -> None:
        """Let go of files."""


def covered_share(moving: Grid, fixed: Grid) -> float:
    """Estimate which share of `fixed` lies inside `moving`, from 12 points along each axis."""
    along = [np.linspace(0, size - 1, _PROBES) for size in fixed.extent]
    points = np.stack([axis.ravel() for axis in np.meshgrid(*along, indexing="ij")] + [np.ones(_PROBES**3)])
    seen = (np.linalg.solve(moving.affine, fixed.affine) @ points)[:3]
    return float(_inside(seen, moving.extent).mean())


def plane_on_grid(moving: Sequence, fixed: Grid, index: int) -> tuple[Plane, NDArray[np.bool_]]:
    """Sample a sequence where slice `index` of another grid lies, by trilinear interpolation.

    Returns:
        `(h, w) float64` and `(h, w) bool`, which is False outside the sequence, where the nearest edge was taken.

    Raises:
        DatasetError: when the sequence does not know where its voxels are.
    """
    if moving.grid is None:
        raise DatasetError(f"{moving.source}: its position is unknown, so it cannot be brought to another grid")
    _, height, width = fixed.shape
    step = np.linalg.solve(moving.grid.affine, fixed.affine)
    rows, columns = np.arange(height)[:, np.newaxis], np.arange(width)[np.newaxis, :]
    place = fixed.step(index)
    seen = [step[a, 0] * place + step[a, 1] * rows + step[a, 2] * columns + step[a, 3] for a in range(3)]
    inside = _inside(np.stack(seen), moving.grid.extent)
    seen[0] = moving.grid.index(seen[0])
    low, part = zip(*(_split(axis, size) for axis, size in zip(seen, moving.shape, strict=True)), strict=True)
    first, last = int(low[0].min()), min(int(low[0].max()) + 1, moving.shape[0] - 1)
    stack = np.stack([moving.plane(number) for number in range(first, last + 1)])
    return _trilinear(stack, (low[0] - first, low[1], low[2]), part), inside


def _inside(seen: NDArray[np.float64], extent: tuple[float, int, int]) -> NDArray[np.bool_]:
    inside = np.ones(seen.shape[1:], np.bool_)
    for axis, size in zip(seen, extent, strict=True):
        inside &= (axis >= -0.5 - 1e-6) & (axis <= size - 0.5 + 1e-6)
    return inside


def _split(axis: Plane, size: int) -> tuple[NDArray[np.intp], Plane]:
    clipped = np.clip(axis, 0, size - 1)
    low = np.minimum(np.floor(clipped), max(size - 2, 0)).astype(np.intp)
    return low, clipped - low


def _trilinear(stack: Plane, low: tuple[NDArray[np.intp], ...], part: tuple[Plane, ...]) -> Plane:
    high = [np.minimum(index + 1, size - 1) for index, size in zip(low, stack.shape, strict=True)]
    total = np.zeros(low[0].shape)
    for corner in range(8):
        chosen = [(high if corner >> axis & 1 else low)[axis] for axis in range(3)]
        weight = np.ones(low[0].shape)
        for axis in range(3):
            weight = weight * (part[axis] if corner >> axis & 1 else 1 - part[axis])
        if weight.any():
            total += np.where(weight > 0, stack[chosen[0], chosen[1], chosen[2]], 0.0) * weight
    return total
