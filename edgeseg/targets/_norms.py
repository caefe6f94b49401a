"""Normalisations over an image's own pixels, written without moving a value: no converter adds a transpose to them."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.targets.plain import plain_layer

GROUPED = ("GroupNormalization",)
"""Layers that Keras computes on a reshaped image."""


def without_reshapes(layer: Any, width: int) -> Any:
    """Write a group normalisation (`groups=-1`: instance normalisation) with means over height and width alone."""
    groups = width if layer.groups in (-1, width) else int(layer.groups)
    size = width // groups
    average = np.kron(np.eye(groups, dtype=np.float32), np.full((size, size), 1.0 / size, np.float32))
    gamma = np.asarray(layer.gamma) if layer.scale else np.ones(width, np.float32)
    beta = np.asarray(layer.beta) if layer.center else np.zeros(width, np.float32)
    shared = () if size == 1 else (average.reshape(1, 1, width, width),)
    return plain_layer(layer.name, "group norm", gamma, beta, *shared, epsilon=float(layer.epsilon))
