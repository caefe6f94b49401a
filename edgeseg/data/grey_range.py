"""A sequence in the 8-bit range that networks take: one way from files to bytes, for the runner and for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.blank import Blank, find_blanks, without
from edgeseg.data.intensity import Window, sample_of, window_of
from edgeseg.data.sequence import Plane, Sequence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GreyRange:
    """How the values of a sequence become bytes.

    Attributes:
        sequence: what was given, or it with black in the place of values that are no intensities.
        window: None where the values are 8-bit grey and taken as they are.
        bright: the value that the bright end of the tissue has.
        blanks: which values are no intensities.
    """

    sequence: Sequence
    window: Window | None
    bright: float
    blanks: tuple[Blank, ...] = ()

    def apply(self, plane: Plane) -> NDArray[np.uint8]:
        """Turn `(h, w) float64` as the file has it into `(h, w) uint8`; what is not finite becomes 0."""
        if self.window is None:
            return np.nan_to_num(np.rint(plane)).astype(np.uint8)
        return self.window.apply(plane)

    def plane(self, index: int) -> NDArray[np.uint8]:
        """Read one slice, `(h, w) uint8`."""
        return self.apply(self.sequence.plane(index))


def grey_range(sequence: Sequence) -> GreyRange:
    """Look at a sub-sample of a sequence and decide."""
    sample, border = sample_of(sequence)
    if sequence.is_bytes:
        return GreyRange(sequence=sequence, window=None, bright=window_of(sample).high)
    blanks = find_blanks(sample, border)
    values = [blank.value for blank in blanks]
    window = window_of(sample[~np.isin(sample, values)])
    seen = without(sequence, values, window.low) if values else sequence
    return GreyRange(sequence=seen, window=window, bright=window.high, blanks=blanks)
