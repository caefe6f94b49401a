"""What is counted on the slices that a network is given, so that an input unlike the training data can be told.

All on the network's own grid, on bytes as `edgeseg.imaging.to_network` gives them, before they are normalised. At most
`SLICES` slices of a volume are looked at, spread evenly from the first to the last, and of each `GRID` x `GRID` pixels.
Every count is a whole number below 2^53, so that neither the order of sums nor the kind of number matters.

1. Of N slices, number `(k * (N - 1)) div (K - 1)` is looked at for k from 0 to K - 1, K being the lesser of N and
   `SLICES`; number 0 where N is 1.
2. Point (i, j) of a slice of H x W is pixel (r, c), `r = ((2 * i + 1) * H) div (2 * GRID)`, c likewise of j and W. Its
   neighbour is pixel `(r, min(c + 1, W - 1))`.
3. A point is of the head where a channel is above `TISSUE`. A head made smaller by one keeps the points whose four
   neighbours on the grid of points are of it too; outside the grid nothing is. Rim: the head without what is left after
   2 times; bone: that without what is left after 4; cortex: that without what is left after 6; core: the rest.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

GRID, SLICES = 64, 12
TISSUE = 15
"""A byte above it is no background."""
WHITE = 250
BANDS = ("rim", "bone", "cortex", "core")
_EACH, _ONE = 2, np.uint64(1)
Ints = NDArray[np.int64]


def slices_looked_at(count: int) -> tuple[int, ...]:
    """Return the numbers, from 0 on, of the slices of a volume of `count` slices that are looked at."""
    looks = min(count, SLICES)
    return tuple(sorted({k * (count - 1) // max(1, looks - 1) for k in range(looks)}))


class InputTally:
    """Counts over the slices of one volume with C channels.

    Attributes:
        channels: C.
        slices: how many were looked at.
        areas: head points of each.
        heads: `(GRID, GRID)`, in how many slices a point was of the head.
        sums: `(C, GRID, GRID)`, bytes of each point summed over the slices in which it was of the head.
        squares: `(C, C)`, products of two channels' bytes over head points.
        steps: `(C, 2)`, differences over head points: to the neighbouring pixel, and to the next point in the row where
            that is of the head too.
        black: `(C,)`, head points at most `TISSUE`; `white`: those at least `WHITE`.
        burnt: points that are at least `WHITE` in every channel, their neighbours too.
        outside: `(C,)`, bytes of the points that are not of the head.
        bands: `(C, 4)`, bytes of the points of `BANDS`; `band_points`: `(4,)`, how many those are.
        brighter: `(C, C)`, points within the rim where `2 * a * B > 3 * b * A`, a and b being the bytes of two channels
            and A and B their sums over the slice's head.
        apart: `(C, C)`, differences of two channels' bytes over all points.
        everywhere: `(C, 2)`, bytes of a channel over all points, and their squares.
        shown: `(C,)`, whether not all points of a channel have one value, that of the first point of the first slice.
    """

    def __init__(self, channels: int) -> None:
        """Begin a volume."""
        self.channels, self.slices, self.burnt = channels, 0, 0
        self.areas: list[int] = []
        plane, pair = (GRID, GRID), (channels, channels)
        self.heads, self.sums = np.zeros(plane, np.int64), np.zeros((channels, *plane), np.int64)
        self.squares, self.brighter, self.apart = (np.zeros(pair, np.int64) for _ in range(3))
        self.black, self.white, self.outside = (np.zeros(channels, np.int64) for _ in range(3))
        self.steps, self.everywhere = np.zeros((channels, 2), np.int64), np.zeros((channels, 2), np.int64)
        self.bands = np.zeros((channels, len(BANDS)), np.int64)
        self.shown, self._first = np.zeros(channels, np.bool_), np.zeros((channels, 1))
        self.band_points = np.zeros(len(BANDS), np.int64)

    def add(self, image: NDArray[np.uint8]) -> None:
        """Count a slice, `(H, W, C) uint8`."""
        rows, columns = (_places(size) for size in image.shape[:2])
        lines = image[rows]
        points = np.ascontiguousarray(lines[:, columns].transpose(2, 0, 1))
        beside = lines[:, np.minimum(columns + 1, image.shape[1] - 1)].transpose(2, 0, 1)
        head = np.asarray((points > TISSUE).any(axis=0))
        nested = _nested(head)
        values = points.reshape(self.channels, -1).astype(np.float64)
        inside = values * head.ravel()
        totals = inside.sum(axis=1)
        self.slices += 1
        self.areas.append(int(np.count_nonzero(head)))
        self.heads += head
        self.sums += points * head
        self.squares += _whole(inside @ inside.T)
        every = values.sum(axis=1)
        self.outside += _whole(every - totals)
        self.everywhere[:, 0] += _whole(every)
        self.everywhere[:, 1] += _whole(np.einsum("cp,cp->c", values, values))
        within = _whole(values @ nested.reshape(len(BANDS), -1).T.astype(np.float64))
        within[:, :-1] -= within[:, 1:]
        self.bands += within
        counts = np.count_nonzero(nested, axis=(1, 2))
        counts[:-1] -= counts[1:]
        self.band_points += counts
        self._steps(points, beside, head)
        self.black += np.count_nonzero((points <= TISSUE) & head, axis=(1, 2))
        white = points >= WHITE
        self.white += np.count_nonzero(white & head, axis=(1, 2))
        if white.any():
            self.burnt += int(np.count_nonzero((white & (beside >= WHITE)).all(axis=0)))
        if self.slices == 1:
            self._first = values[:, :1]
        self.shown |= (values != self._first).any(axis=1)
        self._pairs(values, totals, nested[2].ravel())

    def deviation(self, channel: int) -> float:
        """Return the standard deviation of a channel's bytes over all points."""
        points = self.slices * GRID * GRID
        total, squares = (int(one) for one in self.everywhere[channel])
        mean = total / points
        return math.sqrt(max(0.0, squares / points - mean * mean))

    def _steps(self, points: NDArray[np.uint8], beside: NDArray[np.uint8], head: NDArray[np.bool_]) -> None:
        near = np.maximum(points, beside) - np.minimum(points, beside)
        self.steps[:, 0] += (near * head).sum(axis=(1, 2), dtype=np.int64)
        left, right = points[:, :, :-1], points[:, :, 1:]
        far = (np.maximum(left, right) - np.minimum(left, right)) * (head[:, :-1] & head[:, 1:])
        self.steps[:, 1] += far.sum(axis=(1, 2), dtype=np.int64)

    def _pairs(self, values: NDArray[np.float64], totals: NDArray[np.float64], inner: NDArray[np.bool_]) -> None:
        within = values[:, inner]
        for one, other in combinations(range(self.channels), 2):
            self.apart[one, other] += int(np.abs(values[one] - values[other]).sum())
            ours, theirs = within[one] * totals[other], within[other] * totals[one]
            self.brighter[one, other] += np.count_nonzero(2 * ours > 3 * theirs)
            self.brighter[other, one] += np.count_nonzero(2 * theirs > 3 * ours)


def _places(size: int) -> Ints:
    return (2 * np.arange(GRID) + 1) * size // (2 * GRID)


def _nested(head: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the head and what is left of it after 2, 4 and 6 times, `(4, GRID, GRID) bool`; a row is a word."""
    rows = np.packbits(head, axis=1, bitorder="little").view("<u8").ravel()
    left = [rows]
    for times in range(1, 3 * _EACH + 1):
        smaller = rows & (rows << _ONE) & (rows >> _ONE)
        smaller[1:] &= rows[:-1]
        smaller[:-1] &= rows[1:]
        smaller[[0, -1]] = 0
        rows = smaller
        if times % _EACH == 0:
            left.append(rows)
    return np.unpackbits(np.stack(left).view(np.uint8).reshape(-1, GRID, GRID // 8), axis=2, bitorder="little").view(
        bool
    )


def _whole(values: NDArray[np.float64]) -> Ints:
    return values.astype(np.int64)
