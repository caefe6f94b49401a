"""Initial weights drawn by numpy, so that a seed means the same network on every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def draw_kernels(model: Any, *, seed: int) -> None:
    """Draw every convolution kernel anew from N(0, 2 / fan-in); biases and normalisations keep their start.

    The fan-in is the number of products that make one output: kernel area times input channels, and for a transposed
    convolution whose stride equals its kernel the input channels alone.

    Args:
        model: a built network, changed in place.
        seed: the only source of chance.

    Source: He et al., "Delving Deep into Rectifiers", ICCV 2015.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in ("Conv2D", "Conv2DTranspose"):
            continue
        kernel, *rest = layer.get_weights()
        fan_in = kernel.shape[3] if kind == "Conv2DTranspose" else math.prod(kernel.shape[:3])
        drawn = rng.normal(0.0, math.sqrt(2.0 / fan_in), kernel.shape).astype(np.float32)
        layer.set_weights([drawn, *rest])
