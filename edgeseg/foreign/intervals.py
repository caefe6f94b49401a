"""Between which numbers the result of an operation lies, by those between which its values lie."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
ANY: Interval = (-math.inf, math.inf)
UNIT: Interval = (0.0, 1.0)
_SLACK = 1e-3
"""What sums and shares that are rounded may lie outside."""


def of_probabilities(found: Interval) -> bool:
    """Whether values between these are between 0 and 1, and not all the same."""
    low, high = found
    return -_SLACK <= low < high <= 1.0 + _SLACK


def of_stored(values: NDArray[np.generic] | float) -> Interval:
    """Return the least and the largest of stored numbers."""
    numbers = np.asarray(values, np.float64)
    return (float(numbers.min()), float(numbers.max())) if numbers.size else ANY


def union(parts: Sequence[Interval]) -> Interval:
    """Return what holds all of several."""
    return min((low for low, _ in parts), default=-math.inf), max((high for _, high in parts), default=math.inf)


def of_two(kind: str, a: Interval, b: Interval) -> Interval:
    """Bound an operation of two values, by the name that `keras.ops` has for it."""
    if kind == "add":
        return a[0] + b[0], a[1] + b[1]
    if kind == "subtract":
        return a[0] - b[1], a[1] - b[0]
    if kind == "maximum":
        return max(a[0], b[0]), max(a[1], b[1])
    if kind == "minimum":
        return min(a[0], b[0]), min(a[1], b[1])
    if kind == "divide" and not b[0] <= 0.0 <= b[1]:
        kind, b = "multiply", (1.0 / b[1], 1.0 / b[0])
    if kind == "multiply" and all(map(math.isfinite, (*a, *b))):
        corners = [x * y for x in a for y in b]
        return min(corners), max(corners)
    return ANY


def clipped(found: Interval, low: float | None, high: float | None) -> Interval:
    """Bound values that are brought between two numbers, of which either may be left out."""
    least, most = (-math.inf if low is None else low), (math.inf if high is None else high)
    return min(max(found[0], least), most), min(max(found[1], least), most)
