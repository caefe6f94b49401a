"""Activation ranges: the interval that int8 codes of each layer's output stand for, measured once for every format.

The key is the layer's name in the Keras network, not a tensor's name in some converted file, so one table serves all
formats and outlives a new version of a converter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, CheckpointError, OptionError

MIN_MAX, LEARNED = "min-max", "learned"
METHODS = (MIN_MAX, LEARNED)
RECORD_AGAIN = "record them again with 'edgeseg calibrate --data DIR --checkpoint CKPT'"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRange:
    """The range of what one layer gives; `layer` is its name, with `:2` and so on from its second call on.

    `low` and `high` are float32 values.
    """

    layer: str
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a range that is no interval."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise OptionError(f"the range of '{self.layer}' is [{self.low}, {self.high}]; two finite numbers in order")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationRanges:
    """The ranges of all layers of one network, in the order in which they run, and how they were found.

    `method` is `min-max`: the smallest and the largest value over all slices; or `learned`: in quantization-aware
    training.
    """

    method: str
    layers: tuple[LayerRange, ...]

    def __post_init__(self) -> None:
        """Refuse an unknown method, no layers, and a layer that stands there twice."""
        if self.method not in METHODS:
            raise OptionError(f"the method is '{self.method}'; choose one of: {', '.join(METHODS)}")
        if not self.layers or len({entry.layer for entry in self.layers}) != len(self.layers):
            raise OptionError("activation ranges name no layer, or name one twice; each layer needs one range")

    def of(self, layer: str) -> tuple[float, float]:
        """Return the range of a layer.

        Raises:
            CheckpointError: when there is none.
        """
        for entry in self.layers:
            if entry.layer == layer:
                return entry.low, entry.high
        raise CheckpointError(f"the activation ranges hold none for '{layer}'; {RECORD_AGAIN}")

    def check(self, names: Iterable[str]) -> None:
        """Refuse ranges whose layers are not exactly those of a network, which `names` gives.

        Raises:
            CheckpointError: naming the first layer that one of the two lacks.
        """
        wanted, given = set(names), {entry.layer.partition(":")[0] for entry in self.layers}
        if missing := sorted(wanted - given):
            raise CheckpointError(f"the activation ranges hold none for '{missing[0]}'; {RECORD_AGAIN}")
        if odd := sorted(given - wanted):
            raise CheckpointError(
                f"the activation ranges belong to another network: it has no layer '{odd[0]}'; {RECORD_AGAIN}"
            )


def measure(model: Any, slices: Iterable[NDArray[np.float32]]) -> ActivationRanges:
    """Measure the ranges of a network over calibration slices, the smallest and largest value of each layer's output.

    One slice is in memory at a time, and of each layer two numbers.

    Args:
        model: built Keras 3 model on the TensorFlow backend, `(None, H, W, 3) float32 in [0, 1]`, NHWC -> logits.
        slices: each `(H, W, 3) float32 in [0, 1]`, in the network's size.

    Raises:
        OptionError: when there is no slice, or one has another shape, dtype or range.
        ArtifactError: when the network gives NaN or infinity.
    """
    from edgeseg.targets._keras import network

    form = network(model)
    ends = _ends(form, tuple(model.input_shape[1:]))
    lowest: NDArray[np.float32] | None = None
    highest: NDArray[np.float32] | None = None
    for image in slices:
        _check_slice(image, tuple(model.input_shape[1:]))
        low, high = (np.asarray(end) for end in ends(image[np.newaxis]))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise ArtifactError("the network gives NaN or infinity on a calibration slice; its weights are damaged")
        lowest = low if lowest is None else np.minimum(lowest, low)
        highest = high if highest is None else np.maximum(highest, high)
    if lowest is None or highest is None:
        raise OptionError("ranges are measured on calibration slices, and none were given; at least one is needed")
    found = zip(form.steps, lowest.tolist(), highest.tolist(), strict=True)
    return ActivationRanges(
        method=MIN_MAX, layers=tuple(LayerRange(layer=step.name, low=low, high=high) for step, low, high in found)
    )


def _ends(form: Any, image: tuple[int, ...]) -> Any:
    """Compile `(1, H, W, 3) float32` -> the smallest and the largest value of each step, two `(steps,) float32`."""
    import tensorflow as tf

    @functools.partial(tf.function, input_signature=[tf.TensorSpec((1, *image), tf.float32)], autograph=False)
    def ends(x: Any) -> Any:
        values = form.run(x).values()
        return tf.stack([tf.reduce_min(v) for v in values]), tf.stack([tf.reduce_max(v) for v in values])

    return ends


def _check_slice(image: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if image.dtype != np.float32 or image.shape != shape:
        raise OptionError(f"a calibration slice is {image.dtype} {image.shape}; float32 {shape} is needed")
    low, high = float(image.min()), float(image.max())
    if not (low >= 0.0 and high <= 1.0):
        raise OptionError(f"a calibration slice lies in [{low:g}, {high:g}]; the network's input is [0, 1]")
