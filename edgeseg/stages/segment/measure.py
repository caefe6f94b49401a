"""Area and largest diameter of a mask; both on the slice's own grid."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import find_components

Point = tuple[float, float]


def area_mm2(pixels: int, pixel_mm: tuple[float, float] | None) -> float | None:
    """Return the area of pixels, or None where their size is unknown."""
    return None if pixel_mm is None else pixels * pixel_mm[0] * pixel_mm[1]


def largest_diameter_mm(mask: NDArray[np.bool_], pixel_mm: tuple[float, float] | None) -> float | None:
    """Return the largest distance between two corners of pixels of one component, 8 neighbours joining.

    Args:
        mask: `(h, w) bool`.
        pixel_mm: distances between rows and between columns; None where they are unknown, and so is the diameter.

    Returns:
        mm; 0 for an empty mask.
    """
    if pixel_mm is None:
        return None
    found = find_components(mask, volume=False)
    rows, first = np.divmod(found.starts, mask.shape[1])
    last = first + found.ends - found.starts
    corners = np.stack(
        [np.concatenate([rows, rows + 1, rows, rows + 1]), np.concatenate([first, first, last, last])], axis=1
    )
    owner, largest = np.tile(found.owner, 4), 0.0
    spans = corners * np.array(pixel_mm)
    order = np.argsort(owner, kind="stable")
    for points in np.split(spans[order], np.cumsum(np.bincount(owner, minlength=1))[:-1]):
        if len(points) and float(np.hypot(*np.ptp(points, axis=0))) > largest:
            largest = max(largest, _widest(points))
    return largest


def _widest(points: NDArray[np.float64]) -> float:
    hull = np.array(_hull(sorted(set(map(tuple, points.tolist())))))
    apart = hull[:, np.newaxis] - hull[np.newaxis]
    return math.sqrt(float((apart**2).sum(axis=2).max()))


def _hull(points: list[Point]) -> list[Point]:
    """Give the corners of the convex hull of sorted points (Andrew, Information Processing Letters 9(5), 1979)."""
    if len(points) < 3:
        return points
    return [*_chain(points), *_chain(points[::-1])]


def _chain(points: list[Point]) -> list[Point]:
    chain: list[Point] = []
    for point in points:
        while len(chain) > 1 and _turn(chain[-2], chain[-1], point) <= 0:
            chain.pop()
        chain.append(point)
    return chain[:-1]


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
