"""Weights under which some channels of a network give exactly 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.recipes.cut import Anatomy


def with_dead_channels(
    model: Any, found: Anatomy, rng: np.random.Generator, *, whole: bool = False
) -> dict[str, np.ndarray]:
    """Draw all weights, as `whole` numbers from -1 to 1 if asked for, and silence every second channel of every slot.

    What is silent gives exactly 0.
    """
    dead = np.zeros(found.flow.units, np.bool_)
    for units in found.slots.values():
        dead[units[1::2]] = True
    arrays = {}
    for weight in model.weights:
        shape, variance = tuple(weight.shape), weight.path.endswith("moving_variance")
        drawn = (rng.integers(-1, 2, shape) if whole else rng.normal(0.0, 0.3, shape)).astype(np.float32)
        arrays[weight.path] = drawn if not variance else np.ones_like(drawn) if whole else np.abs(drawn) + 0.5
    for call in found.flow.calls:
        for weight in getattr(call.layer, "weights", ()):  # an operation has none
            name, array = weight.path.rsplit("/", 1)[1], arrays[weight.path]
            if name != "moving_variance":
                _silence(type(call.layer).__name__, name, array, dead[call.output])
    return arrays


def _silence(kind: str, name: str, array: np.ndarray, gone: np.ndarray) -> None:
    if kind == "Conv2DTranspose" and name == "kernel":
        array[:, :, gone] = 0
    elif name == "depthwise_kernel" or (kind == "DepthwiseConv2D" and name == "kernel"):
        return  # what it takes is silent already
    else:
        array[..., gone] = 0
