"""What both int8 formats share: the scales of input and logits."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

INPUT_SCALE = float(np.float32(1.0 / 255.0))
LEAST_SCALE = 1e-8
LOGIT_REACH = 16.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LogitScale:
    """How logits become int8: `logit = scale * (q - zero_point)`, saturating outside `[low, high]`.

    `shift` is what the head's bias gains before quantization so that the operating threshold lies half-way between two
    codes. Without it every logit within half a step of the threshold would round onto it, and so to one side of it.
    """

    scale: float
    zero_point: int
    shift: float

    @property
    def low(self) -> float:
        """The logit of code -128."""
        return self.scale * (-128 - self.zero_point)

    @property
    def high(self) -> float:
        """The logit of code 127."""
        return self.scale * (127 - self.zero_point)


def input_codes(low: float, high: float) -> tuple[float, int]:
    """Return scale and zero point of int8 codes for an input in `[low, high]`, which holds 0.

    For [0, 1] a code is a pixel's byte minus 128.
    """
    scale = max(float(np.float32((high - low) / 255.0)), LEAST_SCALE)
    return scale, int(np.clip(round(-128 - low / scale), -128, 127))


def logit_scale(low: float, high: float, threshold: float, *, reach: float = LOGIT_REACH) -> LogitScale:
    """Choose the int8 scale of the logits from their calibrated range `[low, high]`.

    With the shift, a mask at the network's own size does not depend on the scale: on 104 real slices the flipped pixels
    were the same, one by one, with a reach of 4, 8, 16 and none. What the scale decides is how fine the logits are that
    are resampled to another grid. So only outliers are cut, at `threshold +- reach`, where the probability is within
    1e-6 of 0 or 1. The range always holds 0 and the threshold.
    """
    low = min(max(low, threshold - reach), threshold - 0.5, 0.0)
    high = max(min(high, threshold + reach), threshold + 0.5, 0.0)
    scale = float(np.float32((high - low) / 255.0))
    zero_point = int(np.clip(round(-128 - low / scale), -128, 127))
    shift = (math.floor(threshold / scale) + 0.5) * scale - threshold
    return LogitScale(scale=scale, zero_point=zero_point, shift=shift)
