"""Training batches as the contract of somebody's network makes them, without Keras 3."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.sampler import Sampler
from edgeseg.foreign import fed, targets_on_grid
from edgeseg.specs import Contract


@dataclass(frozen=True, slots=True, eq=False)
class FedSampler(Sampler):
    """A sampler whose batches are what a network takes, `(B, H, W, C) float32`, with targets on its grid."""

    contract: Contract | None = None

    def batch(self, epoch: int, step: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """One batch, as `Sampler.batch` has it, behind the contract."""
        assert self.contract is not None
        images, targets = Sampler.batch(self, epoch, step)
        keras = _operations()
        inside = fed(keras, images, self.contract, self.cache.channels.names)
        return np.asarray(inside), np.asarray(targets_on_grid(keras, targets, self.contract))


def _operations() -> Any:
    """The operations of Keras 3 that a contract needs, in TensorFlow's own."""
    import tensorflow as tf

    def resize(values: Any, size: tuple[int, int], *, interpolation: str, antialias: bool) -> Any:
        return tf.image.resize(values, size, method=interpolation, antialias=antialias)

    return SimpleNamespace(ops=SimpleNamespace(take=tf.gather, image=SimpleNamespace(resize=resize)))
