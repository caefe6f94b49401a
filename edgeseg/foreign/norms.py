"""Normalisations over an image's own pixels, written without moving a value: no converter adds a transpose to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.foreign.plain import plain_layer

GROUPED = ("GroupNormalization",)
"""Layers that Keras computes on a reshaped image."""


def without_reshapes(layer: Any) -> Any:
    """Write a group normalisation (`groups=-1`: instance normalisation) with means over height and width alone.

    A group's mean is the mean of its channels' means, and so is its variance once that mean is taken off; one product
    with a matrix of `C x C` averages within groups and gives each channel its group's figure.
    """
    import tensorflow as tf

    width = int(layer.output.shape[-1])
    groups = width if layer.groups in (-1, width) else int(layer.groups)
    size = width // groups
    average = np.kron(np.eye(groups, dtype=np.float32), np.full((size, size), 1.0 / size, np.float32))
    gamma = np.asarray(layer.gamma) if layer.scale else np.ones(width, np.float32)
    beta = np.asarray(layer.beta) if layer.center else np.zeros(width, np.float32)
    epsilon = float(layer.epsilon)

    def shared(values: Any) -> Any:
        return values if size == 1 else tf.nn.conv2d(values, average.reshape(1, 1, width, width), 1, "VALID")

    def normalised(x: Any) -> Any:
        centred = x - shared(tf.reduce_mean(x, (1, 2), keepdims=True))
        variance = shared(tf.reduce_mean(centred * centred, (1, 2), keepdims=True))
        return centred * (tf.math.rsqrt(variance + epsilon) * gamma) + beta

    return plain_layer(layer.name, normalised)
