"""Operations that Keras has no layer for, as layers that can be saved: a name from a table, options, and constants."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

PACKAGE, CLASS = "edgeseg", "Plain"


def plain_layer(name: str, function: str, *constants: NDArray[Any], **options: Any) -> Any:
    """Make a layer that computes one of `FUNCTIONS` of what it is called on.

    Args:
        name: of the layer.
        function: a key of `FUNCTIONS`.
        constants: float arrays that it computes with; they are saved as its weights, which no training moves.
        options: of the function, values that JSON has.
    """
    shapes = [list(constant.shape) for constant in constants]
    made = plain_class()(function=function, options=options, shapes=shapes, name=name)
    made.build()
    if constants:
        made.set_weights([np.asarray(constant, np.float32) for constant in constants])
    return made


@functools.cache
def plain_class() -> Any:
    """Return the class of these layers, which Keras must know before it reads a file that holds some."""
    import keras

    @keras.saving.register_keras_serializable(package=PACKAGE, name=CLASS)
    class Plain(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, function: str, options: dict[str, Any], shapes: Sequence[Sequence[int]], **own: Any) -> None:
            super().__init__(**own)
            self.function, self.options, self.shapes = function, options, shapes

        def build(self, *_: Any) -> None:
            if not getattr(self, "built", False):
                for index, shape in enumerate(self.shapes):
                    self.add_weight(shape=tuple(shape), trainable=False, name=f"constant{index}")
                self.built = True

        def call(self, *xs: Any) -> Any:
            return FUNCTIONS[self.function](xs, self.weights, **self.options)

        def get_config(self) -> dict[str, Any]:
            own = {"function": self.function, "options": self.options, "shapes": self.shapes}
            return {**super().get_config(), **own}

    return Plain


def _ops() -> Any:
    import keras

    return keras.ops


def _cut(xs: Any, _: Any, *, cuts: Sequence[Sequence[int | None] | None]) -> Any:
    """Take a part: for each axis None, or start, stop and step."""
    return xs[0][tuple(slice(None) if cut is None else slice(*cut) for cut in cuts)]


def _take(xs: Any, _: Any, *, indices: Sequence[int], axis: int) -> Any:
    return _ops().take(xs[0], np.array(indices, np.int32), axis=axis)


def _pick(xs: Any, _: Any, *, rows: Sequence[int], columns: Sequence[int]) -> Any:
    """Take rows and columns of an image: resizing by nearest neighbour with any rule."""
    return _take([_take(xs, None, indices=rows, axis=1)], None, indices=columns, axis=2)


def _with_constant(xs: Any, constants: Any, *, kind: str, first: bool = False) -> Any:
    pair = (constants[0], xs[0]) if first else (xs[0], constants[0])
    return getattr(_ops(), kind)(*pair)


def _pad(xs: Any, _: Any, *, around: Sequence[Sequence[int]], mode: str = "CONSTANT", value: float = 0.0) -> Any:
    import tensorflow as tf

    return tf.pad(xs[0], around, mode=mode, constant_values=value)


def _resize(xs: Any, _: Any, *, size: Sequence[int], aligned: bool) -> Any:
    import tensorflow as tf

    return tf.compat.v1.image.resize_bilinear(xs[0], size, align_corners=aligned)


def _rearrange(xs: Any, _: Any, *, kind: str, side: int) -> Any:
    import tensorflow as tf

    return getattr(tf.nn, kind)(xs[0], side)


def _clip(xs: Any, _: Any, *, low: float | None, high: float | None) -> Any:
    x = xs[0] if low is None else _ops().maximum(xs[0], low)
    return x if high is None else _ops().minimum(x, high)


def _gelu(xs: Any, _: Any, *, approximate: bool = False) -> Any:
    import tensorflow as tf

    if approximate:
        return _ops().gelu(xs[0], approximate=True)
    return np.float32(0.5) * xs[0] * (1.0 + tf.math.erf(xs[0] * np.float32(np.sqrt(0.5))))


def _join(xs: Any, constants: Any, *, axis: int, stored: Sequence[bool]) -> Any:
    """Join values and constants in their order; a constant is repeated along the batch."""
    ops = _ops()
    values, arrays = iter(xs), iter(constants)
    batch = ops.shape(xs[0])[:1]
    parts = [
        ops.broadcast_to(array := next(arrays), (*batch, *array.shape[1:])) if constant else next(values)
        for constant in stored
    ]
    return ops.concatenate(parts, axis=axis)


def _reduce(xs: Any, _: Any, *, kind: str, axes: Sequence[int], keep: bool) -> Any:
    """Reduce along axes by the name that `keras.ops` has for it, or to a norm."""
    ops, x = _ops(), xs[0]
    if kind in ("l2", "sum of squares"):
        found = ops.sum(x * x, axis=tuple(axes), keepdims=keep)
        return ops.sqrt(found) if kind == "l2" else found
    if kind == "l1":
        kind, x = "sum", ops.absolute(x)
    return getattr(ops, kind)(x, axis=tuple(axes), keepdims=keep)


def _group_norm(xs: Any, constants: Any, *, epsilon: float) -> Any:
    """Normalise groups of channels over height and width; the matrix averages within groups, if there is one.

    A group's mean is the mean of its channels' means, and so is its variance once that mean is taken off. Nothing is
    reshaped, so that no converter adds a transpose.
    """
    import tensorflow as tf

    gamma, beta, *average = constants

    def shared(values: Any) -> Any:
        return tf.nn.conv2d(values, average[0], 1, "VALID") if average else values

    centred = xs[0] - shared(tf.reduce_mean(xs[0], (1, 2), keepdims=True))
    variance = shared(tf.reduce_mean(centred * centred, (1, 2), keepdims=True))
    return centred * (tf.math.rsqrt(variance + epsilon) * gamma) + beta


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "celu": lambda xs, _, *, alpha: _ops().celu(xs[0], alpha=alpha),
    "clip": _clip,
    "cut": _cut,
    "gelu": _gelu,
    "group norm": _group_norm,
    "join": _join,
    "log softmax": lambda xs, _, *, axis: _ops().log_softmax(xs[0], axis=axis),
    "of one": lambda xs, _, *, kind: getattr(_ops(), kind)(xs[0]),
    "of two": lambda xs, _, *, kind: getattr(_ops(), kind)(*xs),
    "pad": _pad,
    "pick": _pick,
    "rearrange": _rearrange,
    "reduce": _reduce,
    "resize": _resize,
    "scale": lambda xs, _, *, by, plus: xs[0] * by + plus,
    "take": _take,
    "tile": lambda xs, _, *, times: _ops().tile(xs[0], times),
    "with constant": _with_constant,
}
"""By name: a function of the values given, the constants, and the options."""
