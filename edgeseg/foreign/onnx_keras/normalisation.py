"""Normalisations whose statistics are those of the image, or stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.foreign.onnx_keras.values import Operation, Value, as_onnx, channels_last


def batch(operation: Operation) -> Value:
    """`BatchNormalization` with its stored statistics."""
    import keras

    scale, offset, mean, variance = (operation.stored(place) for place in (1, 2, 3, 4))
    made = keras.layers.BatchNormalization(epsilon=float(operation.given.get("epsilon", 1e-5)), name=operation.name)
    x = made(channels_last(operation.data, operation.name))
    made.set_weights([scale, offset, mean, variance])
    return Value(x=x, shape=operation.shape, last=True)


def instance(operation: Operation) -> Value:
    """`InstanceNormalization`: each channel by its own mean and deviation in the image."""
    return grouped(operation, operation.data, -1, operation.stored(1), operation.stored(2))


def group(operation: Operation) -> Value:
    """`GroupNormalization`; its scale is per channel, per group in the first version."""
    groups = int(operation.given["num_groups"])
    scale, offset = operation.stored(1), operation.stored(2)
    width = operation.shape[1]
    if scale is not None and offset is not None and scale.size == groups != width:
        scale, offset = (np.repeat(values, width // groups) for values in (scale, offset))
    return grouped(operation, operation.data, groups, scale, offset)


def grouped(
    operation: Operation, data: Value, groups: int, scale: NDArray[Any] | None, offset: NDArray[Any] | None
) -> Value:
    """Normalise groups of channels; -1 for each channel by itself."""
    import keras

    if len(data.shape) != 4:
        raise operation.refused(f"normalises a value of {len(data.shape)} axes")
    made = keras.layers.GroupNormalization(
        groups=groups, epsilon=float(operation.given.get("epsilon", 1e-5)), name=operation.name
    )
    x = made(channels_last(data, operation.name))
    width = data.shape[1]
    ones, zeros = np.ones(width, np.float32), np.zeros(width, np.float32)
    made.set_weights([ones if scale is None else scale.reshape(-1), zeros if offset is None else offset.reshape(-1)])
    return Value(x=x, shape=operation.shape, last=True)


def layer_norm(operation: Operation) -> Value:
    """`LayerNormalization` along the last axis."""
    import keras

    data = operation.data
    axis = int(operation.given.get("axis", -1))
    if axis not in (-1, len(data.shape) - 1):
        raise operation.refused("normalises along more than the last axis")
    made = keras.layers.LayerNormalization(epsilon=float(operation.given.get("epsilon", 1e-5)), name=operation.name)
    x = made(as_onnx(data, operation.name))
    scale, offset = operation.stored(1), operation.stored(2)
    assert scale is not None
    made.set_weights([scale, np.zeros_like(scale) if offset is None else offset])
    return Value(x=x, shape=operation.shape)
