"""Kernels that a network applies several times, written so that their 8-bit codes come out equal at each of them.

A recurrent network normalises each step by itself. Once that is folded in, its kernels differ by a factor per output
channel, which the scales of that channel take up: the codes would be the same, were it not that a weight half-way
between two codes falls on either side, as float32 rounds. A few such weights in a hundred thousand kept files from
storing a kernel once. Here the kernel itself is rounded first, one code per output channel, before anything is folded
in: then no weight is half-way, and every step has the codes that the kernel has by itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from edgeseg.targets._keras import Form

LEAST = 1024
"""Kernels of fewer numbers stay as they are: little is saved, and TFLite's dynamic ranges keep them in float."""
REACH = 127
"""The largest code of a weight in 8 bits."""
_OUTWARDS = 1 + 1e-6
"""What lies half-way, as far as float32 tells, goes away from zero, as in TFLite; in half precision many weights do."""
_AXES = {"Conv2D": (0, 1, 2), "DepthwiseConv2D": (0, 1)}
"""What of a kernel one scale serves, by layer."""


def repeated(form: Form, *, but: Collection[str] = ()) -> tuple[str, ...]:
    """Name the convolutions that a network calls more than once, each once, in their order.

    Args:
        form: the network.
        but: names of layers to leave out, since they stay in float.
    """
    again: dict[Any, None] = dict.fromkeys(step.layer for step in form.steps if step.name != step.layer.name)
    return tuple(
        layer.name
        for layer in again
        if type(layer).__name__ in _AXES and int(np.prod(layer.kernel.shape)) >= LEAST and layer.name not in but
    )


def on_codes(layer: Any, reach: int = REACH) -> Any:
    """Return a copy of a convolution whose weights are whole codes of `-reach` to `reach`, per output channel.

    Args:
        layer: built Keras `Conv2D` of one group, `(h, w, C, O)`, or `DepthwiseConv2D`, `(h, w, C, M)`.
        reach: the largest code.
    """
    kernel, *bias = layer.get_weights()
    largest = np.abs(kernel.astype(np.float64)).max(axis=_AXES[type(layer).__name__], keepdims=True)
    step = np.where(largest > 0, largest, 1.0) / reach
    made = type(layer).from_config(layer.get_config())
    made.build(layer.get_build_config()["input_shape"])
    made.set_weights([(np.rint(kernel / step * _OUTWARDS) * step).astype(np.float32), *bias])
    return made
