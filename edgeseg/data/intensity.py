"""From a scanner's intensities to the 8-bit range that networks were trained on.

An approximation: how the training slices were brought to 8 bits is not published. What is known is what came of it, so
a sequence's intensities are mapped linearly such that the bright end of the tissue becomes the grey value that it has
in the training data (`benchmarks/intensity.py` measures it, and what the detour costs in Dice). With quantiles over a
fixed sub-sample of the volume:

    low = q(all, 1 %)        bright = q(all, 99.5 %)
    high = q(voxels above low + 0.1 (bright - low), 99 %)
    grey = clip(round(BRIGHT_GREY (x - low) / (high - low)), 0, 255)

Quantiles follow any gain and offset, and the background's share of the volume hardly moves them; so x and a x + b
(a > 0) give the same grey values but for rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.sequence import Plane, Sequence

BRIGHT_GREY = 148.0
"""The grey value of `high` in the training data: the median over patients and sequences."""
_LOW, _BRIGHT, _HIGH, _TISSUE = 0.01, 0.995, 0.99, 0.1
_MAX_PLANES, _MAX_SAMPLES = 48, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which intensities become black (`low`) and `BRIGHT_GREY` (`high`), in the file's own unit."""

    low: float
    high: float

    @property
    def flat(self) -> bool:
        """Whether there is nothing to tell apart."""
        return not self.high > self.low

    def apply(self, plane: Plane) -> NDArray[np.uint8]:
        """Map `(h, w) float64` to `(h, w) uint8`; what is not finite and a flat sequence become 0."""
        if self.flat:
            return np.zeros(plane.shape, np.uint8)
        with np.errstate(over="ignore", invalid="ignore"):
            grey = np.rint(BRIGHT_GREY * ((plane - self.low) / (self.high - self.low)))
        shown = np.clip(np.nan_to_num(np.where(np.isfinite(plane), grey, 0.0), posinf=255.0, neginf=0.0), 0, 255)
        return np.asarray(shown, dtype=np.uint8)


def sample_of(sequence: Sequence) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw voxels of a sequence, and those at the border of its slices, `(n,) float64` each."""
    slices, rows, columns = sequence.shape
    chosen = np.unique(np.linspace(0, slices - 1, min(slices, _MAX_PLANES)).astype(int))
    step = max(1, int(np.ceil(np.sqrt(len(chosen) * rows * columns / _MAX_SAMPLES))))
    planes = [sequence.plane(int(index)) for index in chosen]
    border = [np.concatenate([plane[0], plane[-1], plane[:, 0], plane[:, -1]]) for plane in planes]
    return np.concatenate([plane[::step, ::step].ravel() for plane in planes]), np.concatenate(border)


def window_of(sample: NDArray[np.float64]) -> Window:
    """Find the window of voxels, any number; those that are not finite do not count."""
    sample = sample[np.isfinite(sample)]
    if not len(sample):
        return Window(low=0.0, high=0.0)
    low, bright = np.quantile(sample, (_LOW, _BRIGHT)).tolist()
    tissue = sample[sample > low + _TISSUE * (bright - low)]
    return Window(low=low, high=float(np.quantile(tissue, _HIGH)) if len(tissue) else low)
