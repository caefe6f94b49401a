"""Values that are no intensities, though no header says so: padding, and a background amid the range.

A scanner or a resampling fills what it did not see with one value. Where no header names it, it shows in three ways: it
stands in many voxels exactly, it stands at the border of slices, and it lies far from all that is tissue - or, where
tissue was standardised to a mean of 0, between its values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.sequence import Plane, Sequence

_MIN_SHARE, _MIN_BORDER_SHARE, _MIN_GAP = 0.005, 0.05, 0.25
_AMID_SHARE, _AMID_BORDER_SHARE, _BELOW_SHARE, _BELOW, _BRIGHT = 0.1, 0.3, 0.01, 0.1, 0.995
_ABOVE_ALL = "far above all others, as padding does"
_BELOW_ALL = "far below all others, as padding does"
_AMID = "amid the others, as the background of standardised values does"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blank:
    """One such value, the share of voxels that hold it, and how it lies to the others, for messages."""

    value: float
    share: float
    lies: str


def find_blanks(sample: NDArray[np.float64], border: NDArray[np.float64]) -> tuple[Blank, ...]:
    """Find such values.

    Args:
        sample: voxels, any number, `(n,) float64`; those that are not finite do not count.
        border: voxels at the border of slices, likewise.
    """
    rest, edge = np.sort(sample[np.isfinite(sample)]), border[np.isfinite(border)]
    total, found = len(rest), []
    for place, lies in ((-1, _ABOVE_ALL), (0, _BELOW_ALL)):
        if len(rest) < 2 or not len(edge):
            break
        value = float(rest[place])
        others = rest[rest != value]
        share = 1 - len(others) / len(rest)
        if share < _MIN_SHARE or not len(others) or (place == 0 and value >= 0):
            continue
        apart = value - others[-1] if place else others[0] - value
        if apart > _MIN_GAP * (others[-1] - others[0]) and np.mean(edge == value) > _MIN_BORDER_SHARE:
            found.append(Blank(value=value, share=(len(rest) - len(others)) / total, lies=lies))
            rest = others
    amid = _amid(rest, edge)
    return (*found, *([] if amid is None else [Blank(value=amid, share=float(np.mean(sample == amid)), lies=_AMID)]))


def _amid(values: NDArray[np.float64], edge: NDArray[np.float64]) -> float | None:
    """Find the value of a background that tissue reaches below, out of sorted values."""
    if not len(values) or not len(edge):
        return None
    distinct, counts = np.unique(values, return_counts=True)
    value = float(distinct[counts.argmax()])
    if counts.max() < _AMID_SHARE * len(values) or np.mean(edge == value) < _AMID_BORDER_SHARE:
        return None
    bright = float(np.quantile(values, _BRIGHT))
    below = np.mean(values < value - _BELOW * (bright - value))
    return value if below >= _BELOW_SHARE else None


def without(sequence: Sequence, values: Iterable[float], fill: float) -> Sequence:
    """See a sequence with `fill` in the place of some values."""
    return cast(Sequence, _Without(sequence, np.array(list(values)), fill))


class _Without:
    """A sequence with some values replaced; all else is the sequence's."""

    def __init__(self, sequence: Sequence, values: NDArray[np.float64], fill: float) -> None:
        self._sequence, self._values, self._fill = sequence, values, fill

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`."""
        stored = self._sequence.plane(index)
        return np.where(np.isin(stored, self._values), self._fill, stored)

    def __getattr__(self, attribute: str) -> object:
        return getattr(self._sequence, attribute)
