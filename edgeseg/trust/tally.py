"""What is counted on the logits of a volume, slice by slice, and the features that come of the counts.

All on the network's own grid, on logits as the network gave them, before any component is dropped. A pixel is above a
level where its logit is greater than float32(log(p / (1 - p))). Counts are whole numbers, so neither the order of
slices' pixels nor the width of a sum matters, and a feature is a quotient of two of them, or its logarithm, in double
precision.

1. `low`, `middle`, `high`: pixels above each level, summed over slices.
2. `border`: pixels above the middle level with at least one of their four neighbours within the slice not above it;
   outside the slice nothing is.
3. `shared`: pixels that are above the middle level in a slice and in the one before it; `paired`: how many are above it
   in the one and in the other, so that each pixel of an inner slice counts twice and one of both ends once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs.trust import BORDER, NEIGHBOURS

Levels = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCounts:
    """What was counted on a volume; the module says what each is."""

    low: int = 0
    middle: int = 0
    high: int = 0
    border: int = 0
    shared: int = 0
    paired: int = 0

    @property
    def in_order(self) -> tuple[int, int, int, int, int, int]:
        """All of them, in the order of their fields."""
        return self.low, self.middle, self.high, self.border, self.shared, self.paired


class OutputTally:
    """Counts over the slices of one volume, of which one mask is kept."""

    def __init__(self, probabilities: Levels) -> None:
        """Begin a volume; `probabilities` are the low, the middle and the high level, `OutputTrust.levels`."""
        low, middle, high = (np.float32(math.log(p / (1.0 - p))) for p in probabilities)
        self._levels = low, middle, high
        self._low = self._middle = self._high = self._border = self._shared = self._paired = 0
        self._before: NDArray[np.bool_] | None = None
        self._count_before = 0
        self._first = True

    def add(self, logits: NDArray[np.float32]) -> None:
        """Count the next slice, `(H, W) float32` logits on the network's grid, slices in anatomical order."""
        low, middle, high = self._levels
        count = int(np.count_nonzero(logits > low))
        mask = logits > middle if count else None
        inside = 0 if mask is None else int(np.count_nonzero(mask))
        if mask is not None and inside:
            self._middle += inside
            self._high += int(np.count_nonzero(logits > high))
            self._border += _border(mask)
            if self._before is not None:
                self._shared += int(np.count_nonzero(mask & self._before))
        self._low += count
        self._paired += 0 if self._first else inside + self._count_before
        self._before, self._count_before, self._first = (mask if inside else None), inside, False

    @property
    def counts(self) -> OutputCounts:
        """What was counted so far."""
        return OutputCounts(
            low=self._low,
            middle=self._middle,
            high=self._high,
            border=self._border,
            shared=self._shared,
            paired=self._paired,
        )


class RegionTally:
    """Counts over the slices of one volume for each of several masks, of which some may have nothing to be told."""

    def __init__(self, probabilities: Sequence[Levels | None]) -> None:
        """Begin a volume; `probabilities` are the levels of each mask, None where it is not to be counted."""
        self._tallies = [None if one is None else OutputTally(one) for one in probabilities]

    def add(self, logits: NDArray[np.float32]) -> None:
        """Count the next slice, `(H, W, R) float32`, as `OutputTally.add` does."""
        for place, tally in enumerate(self._tallies):
            if tally is not None:
                tally.add(logits[..., place])

    @property
    def counts(self) -> tuple[OutputCounts | None, ...]:
        """What was counted so far of each mask; None of those that are not counted."""
        return tuple(None if tally is None else tally.counts for tally in self._tallies)


def features(counts: OutputCounts) -> dict[str, float] | None:
    """Return the features of a volume; None where no pixel is above the middle level, so that there is nothing to rate.

    Returns:
        `log_unsure_border`: the natural logarithm of how wide the band between the low and the high level is, in pixels
        of the network's grid: `log(max(low - high, 1) / border)`.
        `neighbours`: Dice of neighbouring slices' masks, `2 * shared / paired`, in [0, 1]; 0 where none have tumour.
    """
    if counts.middle == 0:
        return None
    return {
        BORDER: math.log(max(counts.low - counts.high, 1) / counts.border),
        NEIGHBOURS: 2 * counts.shared / counts.paired if counts.paired else 0.0,
    }


def _border(mask: NDArray[np.bool_]) -> int:
    """Count the pixels of `(H, W) bool` that have a neighbour, up, down, left or right, outside it."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    core = part[1:-1, 1:-1]
    inner = core & part[:-2, 1:-1] & part[2:, 1:-1] & part[1:-1, :-2] & part[1:-1, 2:]
    return int(np.count_nonzero(core)) - int(np.count_nonzero(inner))
