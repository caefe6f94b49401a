"""What answers say of the masks of each slice: counts, and runs of pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.results import ServedClass
from edgeseg.specs import MaskRegion


class SliceMasks:
    """Takes the masks of a scan's slices as a writer does; `runs` are those of all masks together."""

    def __init__(self, regions: tuple[MaskRegion, ...], *, keep_runs: bool) -> None:
        """Begin with none; without regions there is one mask."""
        self._regions, self._keep_runs = regions, keep_runs
        self.runs: dict[str, tuple[int, ...]] = {}
        self.classes: dict[str, tuple[ServedClass, ...]] = {}

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Take the mask of one slice, `(h, w) bool`, or of R regions `(h, w, R) bool`."""
        if self._keep_runs:
            self.runs[name] = runs(np.logical_or.reduce(mask, axis=2) if self._regions else mask)
        self.classes[name] = tuple(
            ServedClass(
                name=region.name,
                label=region.label,
                pixels=int(np.count_nonzero(mask[..., number])),
                runs=runs(mask[..., number]) if self._keep_runs else None,
            )
            for number, region in enumerate(self._regions)
        )

    def finish(self) -> tuple[Path, ...]:
        """Give nothing: no file is written."""
        return ()


def runs(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Give the runs of a mask `(h, w) bool` as start, length, start, length ..., counted row by row from 0."""
    flat = np.concatenate([[False], mask.ravel(), [False]])
    edges = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2)
    return tuple(np.stack([edges[:, 0], edges[:, 1] - edges[:, 0]], axis=1).ravel().tolist())
