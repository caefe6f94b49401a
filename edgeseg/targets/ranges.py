"""Activation ranges: the interval that int8 codes of each layer's output stand for, measured once for every format.

The key is the layer's name in the Keras network, not a tensor's name in some converted file, so one table serves all
formats and outlives a new version of a converter.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, CheckpointError, OptionError
from edgeseg.imaging import known_range
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs import Contract
from edgeseg.targets.graph import GraphForm
from edgeseg.targets.histograms import MIN_MAX, Histogram, check_method, choose_range

_LARGEST = 1e30
LEARNED = "learned"
"""The method of ranges that quantization-aware training found."""
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

    `method` is one of `edgeseg.targets.histograms.METHODS`, such as `min-max`, or `learned`: in quantization-aware
    training. `image` is the range of the network's input; None where that is the usual one, [0, 1].
    """

    method: str
    layers: tuple[LayerRange, ...]
    image: tuple[float, float] | None = field(default=None, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse an unknown method, no layers, and a layer that stands there twice."""
        if self.method != LEARNED:
            check_method(self.method)
        if not self.layers or len({entry.layer for entry in self.layers}) != len(self.layers):
            raise OptionError("activation ranges name no layer, or name one twice; each layer needs one range")
        if self.image is not None and not (-math.inf < self.image[0] <= 0.0 <= self.image[1] < math.inf):
            raise OptionError(f"the range of the input is {list(self.image)}; two finite numbers with 0 between them")

    def of(self, layer: str) -> tuple[float, float]:
        """Return the range of a layer.

        Raises:
            CheckpointError: when there is none.
        """
        for entry in self.layers:
            if entry.layer == layer:
                return entry.low, entry.high
        raise CheckpointError(f"the activation ranges hold none for '{layer}'; {RECORD_AGAIN}")

    def image_ends(self, contract: Contract) -> tuple[float, float]:
        """Return the range of the network's input, which holds 0.

        Raises:
            CheckpointError: when the contract's normalisation needs one and there is none.
        """
        if contract.usual_input:
            return 0.0, 1.0
        if self.image is None:
            raise CheckpointError(
                "the activation ranges hold none for the network's input, whose normalisation "
                f"('{contract.normalisation}', a byte times {contract.scale:g}) does not end at 0 and 1; {RECORD_AGAIN}"
            )
        return self.image

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


def measure(
    model: Any, slices: Iterable[NDArray[np.float32]], *, method: str = MIN_MAX, contract: Contract | None = None
) -> ActivationRanges:
    """Measure the ranges of a network over calibration slices, from the values of each layer's output.

    Slices go through one after another: what is in memory is one slice with its activations, and of each layer two
    numbers or a histogram, whatever the number of slices.

    Args:
        model: built Keras 3 model on the TensorFlow backend, `(None, H, W, 3) float32`, NHWC -> logits; or a
            `GraphNetwork`.
        slices: each `(H, W, 3) float32` as the contract normalises them, in [0, 1] without one, in the network's size.
        method: how a range follows from the values, see `choose_range`.
        contract: of the network; where its input is not the usual one, the range of that is found as well.

    Raises:
        OptionError: when there is no slice, one has another shape, dtype or range, or the method is unknown.
        ArtifactError: when the network gives NaN or infinity.
    """
    from edgeseg.targets import _keras

    check_method(method)
    form: Any = _keras.taken_apart(model)
    shape = tuple(model.input_shape[1:])
    gather = _Ends(form, shape) if method == MIN_MAX else _Histograms(form, shape)
    usual = contract is None or contract.usual_input
    ends, seen = (0.0, 1.0) if contract is None else known_range(contract), Histogram()
    given = False
    for image in slices:
        _check_slice(image, shape, ends)
        gather.add(image)
        if ends is None:
            seen.add(image)
        given = True
    if not given:
        raise OptionError("ranges are measured on calibration slices, and none were given; at least one is needed")
    found = zip(form.steps, gather.ranges(method), strict=True)
    low, high = choose_range(seen, method) if ends is None else ends
    return ActivationRanges(
        method=method,
        layers=tuple(LayerRange(layer=step.name, low=low, high=high) for step, (low, high) in found),
        image=None if usual else (min(low, 0.0), max(high, 0.0)),
    )


class _Ends:
    """Keeps the smallest and the largest value of each step."""

    def __init__(self, form: Any, shape: tuple[int, ...]) -> None:
        self._run = _ends(form, shape)
        self._low: NDArray[np.float32] = np.full(len(form.steps), np.inf, np.float32)
        self._high: NDArray[np.float32] = -self._low

    def add(self, image: NDArray[np.float32]) -> None:
        low, high = (np.asarray(end) for end in self._run(image[np.newaxis]))
        _check_finite(low, high)
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)

    def ranges(self, _method: str) -> list[tuple[float, float]]:
        return list(zip(self._low.tolist(), self._high.tolist(), strict=True))


class _Histograms:
    """Keeps a histogram of each step."""

    def __init__(self, form: Any, shape: tuple[int, ...]) -> None:
        self._run = _values(form, shape)
        self._histograms = [Histogram() for _ in form.steps]

    def add(self, image: NDArray[np.float32]) -> None:
        for histogram, values in zip(self._histograms, map(np.asarray, self._run(image[np.newaxis])), strict=True):
            _check_finite(values)
            histogram.add(values)

    def ranges(self, method: str) -> list[tuple[float, float]]:
        return [choose_range(histogram, method) for histogram in self._histograms]


def _check_finite(*values: NDArray[np.float32]) -> None:
    if not all(np.isfinite(array).all() for array in values):
        raise ArtifactError("the network gives NaN or infinity on a calibration slice; its weights are damaged")


def _ends(form: Any, image: tuple[int, ...]) -> Any:
    """Compile `(1, H, W, 3) float32` -> the smallest and the largest value of each step, two `(steps,) float32`."""
    if isinstance(form, GraphForm):
        return form.ends()
    import tensorflow as tf

    @functools.partial(tf.function, input_signature=[tf.TensorSpec((1, *image), tf.float32)], autograph=False)
    def ends(x: Any) -> Any:
        values = form.run(x).values()
        return tf.stack([tf.reduce_min(v) for v in values]), tf.stack([tf.reduce_max(v) for v in values])

    return ends


def _values(form: Any, image: tuple[int, ...]) -> Any:
    """Compile `(1, H, W, 3) float32` -> the values of each step, in their order."""
    if isinstance(form, GraphForm):
        return form.values()
    import tensorflow as tf

    @functools.partial(tf.function, input_signature=[tf.TensorSpec((1, *image), tf.float32)], autograph=False)
    def values(x: Any) -> Any:
        return list(form.run(x).values())

    return values


def _check_slice(image: NDArray[np.float32], shape: tuple[int, ...], ends: tuple[float, float] | None) -> None:
    if image.dtype != np.float32 or image.shape != shape:
        raise OptionError(f"a calibration slice is {image.dtype} {image.shape}; float32 {shape} is needed")
    low, high = float(image.min()), float(image.max())
    lowest, highest = ends or (-_LARGEST, _LARGEST)
    if not (low >= lowest and high <= highest):
        raise OptionError(
            f"a calibration slice lies in [{low:g}, {high:g}]; the network's input is [{lowest:g}, {highest:g}]"
        )
