"""From the counts of a volume to the numbers that say what it looks like, in double precision.

`less(a, b)` is `log((a + 1) / (b + 1))`. n is the sum of `heads`, N the number of slices looked at. The box: its
first row is the first whose running sum s of `heads` over rows has `50 * s >= n`, its last the first with `50 * s >=
49 * n`; its columns likewise. It has k rows and w columns; a quarter of them is `max(1, k div 4)` and `max(1, w div
4)`. What lies left or right has no sign: a head may be seen from below or from above.

Features of the head (13), G being `GRID`: `height` k / G; `width` w / G; `row` (first + last + 1) / (2 * G); `column`
the same of columns, its distance from 1 / 2; `fill` n / (N * k * w); `area` mean of `areas` by the greatest of them,
or by 1; `ends` the lesser of the first and the last of `areas` by the same; `front` less(heads in the first quarter
of the box's rows, in the last); `side` the same of columns, its distance from 0; `mirror` the sum of |heads - heads
with the columns of the box reversed| by n; `flip` the same of rows; `frame` sqrt(heads on the outermost points of the
grid / (N * 4 * (G - 1))); `burnt` sqrt(burnt / n).

Features of a channel (13), of its total T over head points, m = T / n and d = sqrt(max(0, squares / n - m * m)):
`mean` log(m + 1); `spread` log((d + 1) / (m + 1)); `black` black / n; `white` sqrt(white / n); `rough` less(steps to
the neighbour, to the next point); `texture` log((steps to the next point / n + 1) / (d + 1)); `outside` log(1 +
outside / max(1, N * G * G - n)); `rim`, `bone`, `cortex` less(a, c), a = (bytes + 1) / (points + 1) of the band and c
of the core; `front_back` less(x, y), x = (bytes + 1) / (points + 1) in the first quarter of the box's rows and y in
the last, both between the columns `w div 4` and `w - w div 4`; `left_right` the same of columns between rows, its
distance from 0; `centre` less(x, c), x between rows `k div 3` and `k - k div 3` and columns likewise. Bytes are those
of `sums`, points those of `heads`.

Features of a pair of channels (12): `agree` r = (squares / n - m1 * m2 + 1) / (d1 * d2 + 1), cut off at -0.9999 and
0.9999, as `log((1 + r) / (1 - r)) / 2`; `brighter` less(brighter one + n / 500, brighter other + n / 500); then the
first's less the other's `mean`, `spread`, `black`, `rough`, `texture`, `rim`, `bone`, `cortex`, `centre`,
`front_back`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeseg.specs.input_look import OF_CHANNEL, OF_PAIR, channel_pairs
from edgeseg.trust.input_tally import GRID, InputTally

_DIFFERENCES = tuple(OF_CHANNEL.index(name) for name in OF_PAIR[2:])
_GREATEST_AGREEMENT = 0.9999
_Plane = NDArray[np.int64]


def input_features(tally: InputTally) -> tuple[float, ...] | None:
    """Return the features: those of the head, then of each channel, then of each of `channel_pairs`.

    None where no point is of the head.
    """
    points = int(tally.heads.sum())
    if points == 0:
        return None
    box = _Box(tally.heads)
    channels = [_of_channel(tally, box, points, one) for one in range(tally.channels)]
    found = [*_of_head(tally, box, points), *(value for one in channels for value in one)]
    for one, other in channel_pairs(tally.channels):
        found += _of_pair(tally, points, one, other)
        found += [channels[one][at] - channels[other][at] for at in _DIFFERENCES]
    return tuple(found)


class _Box:
    """The rectangle that holds the head, and sums over parts of it."""

    def __init__(self, heads: _Plane) -> None:
        self.top, self.bottom = _ends(heads.sum(axis=1))
        self.left, self.right = _ends(heads.sum(axis=0))
        self.heads = self.cut(heads)
        self.rows, self.columns = self.heads.shape

    def cut(self, plane: _Plane) -> _Plane:
        return plane[self.top : self.bottom, self.left : self.right]

    def quarters(self, plane: _Plane, *, middle: bool) -> tuple[float, float, float, float]:
        """Sum a plane, cut to the box, over its first and last quarter of rows, then of columns."""
        down, across = max(1, self.rows // 4), max(1, self.columns // 4)
        above, beside = (self.rows // 4, self.columns // 4) if middle else (0, 0)
        rows = plane[:, beside : self.columns - beside].sum(axis=1)
        columns = plane[above : self.rows - above].sum(axis=0)
        ends = float(rows[:down].sum()), float(rows[-down:].sum())
        return *ends, float(columns[:across].sum()), float(columns[-across:].sum())

    def centre(self, plane: _Plane) -> float:
        """Sum the middle third."""
        down, across = self.rows // 3, self.columns // 3
        return float(plane[down : self.rows - down, across : self.columns - across].sum())


def _of_head(tally: InputTally, box: _Box, points: int) -> list[float]:
    heads, slices = tally.heads, tally.slices
    front, back, left, right = box.quarters(box.heads, middle=False)
    frame = int(heads[0].sum() + heads[-1].sum() + heads[1:-1, 0].sum() + heads[1:-1, -1].sum())
    largest = max(1, *tally.areas)
    return [
        box.rows / GRID,
        box.columns / GRID,
        (box.top + box.bottom) / (2 * GRID),
        abs((box.left + box.right) / (2 * GRID) - 0.5),
        points / (slices * box.rows * box.columns),
        sum(tally.areas) / slices / largest,
        min(tally.areas[0], tally.areas[-1]) / largest,
        _less(front, back),
        abs(_less(left, right)),
        float(np.abs(box.heads - box.heads[:, ::-1]).sum()) / points,
        float(np.abs(box.heads - box.heads[::-1]).sum()) / points,
        math.sqrt(frame / (slices * 4 * (GRID - 1))),
        math.sqrt(tally.burnt / points),
    ]


def _of_channel(tally: InputTally, box: _Box, points: int, channel: int) -> list[float]:
    mean, deviation = _moments(tally, points, channel)
    near, far = (float(step) for step in tally.steps[channel])
    bands = [_mean(float(a), float(b)) for a, b in zip(tally.bands[channel], tally.band_points, strict=True)]
    plane = box.cut(tally.sums[channel])
    parts = zip(box.quarters(plane, middle=True), box.quarters(box.heads, middle=True), strict=True)
    front, back, left, right = (_mean(a, b) for a, b in parts)
    return [
        math.log(mean + 1.0),
        math.log((deviation + 1.0) / (mean + 1.0)),
        float(tally.black[channel]) / points,
        math.sqrt(float(tally.white[channel]) / points),
        _less(near, far),
        math.log((far / points + 1.0) / (deviation + 1.0)),
        math.log(1.0 + float(tally.outside[channel]) / max(1, tally.slices * GRID * GRID - points)),
        *(_less(band, bands[-1]) for band in bands[:-1]),
        _less(front, back),
        abs(_less(left, right)),
        _less(_mean(box.centre(plane), box.centre(box.heads)), bands[-1]),
    ]


def _of_pair(tally: InputTally, points: int, one: int, other: int) -> list[float]:
    (m1, d1), (m2, d2) = _moments(tally, points, one), _moments(tally, points, other)
    agree = (float(tally.squares[one, other]) / points - m1 * m2 + 1.0) / (d1 * d2 + 1.0)
    agree = min(max(agree, -_GREATEST_AGREEMENT), _GREATEST_AGREEMENT)
    few = points / 500
    return [
        math.log((1.0 + agree) / (1.0 - agree)) / 2.0,
        _less(float(tally.brighter[one, other]) + few, float(tally.brighter[other, one]) + few),
    ]


def _moments(tally: InputTally, points: int, channel: int) -> tuple[float, float]:
    """Return mean and deviation of a channel's head points."""
    mean = float(tally.sums[channel].sum()) / points
    return mean, math.sqrt(max(0.0, float(tally.squares[channel, channel]) / points - mean * mean))


def _ends(profile: NDArray[np.int64]) -> tuple[int, int]:
    """Return the first and one past the last of the places between which all but 2 % at each end lie."""
    passed = 50 * np.cumsum(profile)
    total = int(passed[-1]) // 50
    return int(np.argmax(passed >= total)), int(np.argmax(passed >= 49 * total)) + 1


def _mean(total: float, points: float) -> float:
    return (total + 1.0) / (points + 1.0)


def _less(one: float, other: float) -> float:
    return math.log((one + 1.0) / (other + 1.0))
