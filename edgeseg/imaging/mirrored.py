"""The mirrored pass: a network that sees each slice twice, the second time with left and right exchanged."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeseg.imaging.intensity import Tables
from edgeseg.specs import Contract


class HasContract(Protocol):
    """What runs a network, and has a contract."""

    @property
    def contract(self) -> Contract:
        """What the artifact says of itself."""


Owner = TypeVar("Owner", bound=HasContract)
Logits = Callable[[Owner, NDArray[np.uint8], Tables | None], NDArray[np.float32]]


def in_passes(once: Logits[Owner]) -> Callable[..., NDArray[np.float32]]:
    """Let a method that gives logits of slices run as often as the contract says, and give their mean.

    The second pass sees the columns of a slice in the opposite order; its logits are turned back. The mean is that of
    `float32`, half of the sum.

    Args:
        once: of `(N, H, W, C) uint8` to `(N, H, W)` or `(N, H, W, R) float32`, with the tables of the volume or None.
    """

    @wraps(once)
    def passes(self: Owner, images: NDArray[np.uint8], tables: Tables | None = None) -> NDArray[np.float32]:
        logits = once(self, images, tables)
        if self.contract.passes == 1:
            return logits
        turned = once(self, np.ascontiguousarray(images[:, :, ::-1]), tables)
        mean: NDArray[np.float32] = (logits + turned[:, :, ::-1]) * np.float32(0.5)
        return mean

    return passes
