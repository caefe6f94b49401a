"""Activations, as the layers that Keras has for them where it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgeseg.foreign.onnx_keras.values import Operation, Value, axis_of
from edgeseg.targets.plain import plain_layer


def named(activation: str) -> Callable[[Operation], Value]:
    """An activation without options, by the name that Keras has for it."""

    def make(operation: Operation) -> Value:
        import keras

        return _over(operation, keras.layers.Activation(activation, name=operation.name))

    return make


def relu(operation: Operation) -> Value:
    """`Relu`."""
    import keras

    return _over(operation, keras.layers.ReLU(name=operation.name))


def leaky_relu(operation: Operation) -> Value:
    """`LeakyRelu`."""
    import keras

    slope = float(operation.given.get("alpha", 0.01))
    return _over(operation, keras.layers.LeakyReLU(negative_slope=slope, name=operation.name))


def elu(operation: Operation) -> Value:
    """`Elu`."""
    import keras

    return _over(operation, keras.layers.ELU(alpha=float(operation.given.get("alpha", 1.0)), name=operation.name))


def celu(operation: Operation) -> Value:
    """`Celu`: with the slope 1 at zero, by max(0, x) + min(0, a (exp(x / a) - 1))."""
    import keras

    alpha = float(operation.given.get("alpha", 1.0))
    if alpha == 1.0:
        return _over(operation, keras.layers.ELU(name=operation.name))
    return _over(operation, plain_layer(operation.name, "celu", alpha=alpha))


def clip(operation: Operation) -> Value:
    """`Clip`; from 0 on it is a ReLU with a ceiling."""
    import keras

    low, high = (operation.stored(place, name) for place, name in ((1, "min"), (2, "max")))
    ends = [None if end is None else float(end.reshape(())) for end in (low, high)]
    ends = [None if end is None or abs(end) >= np.finfo(np.float32).max else end for end in ends]
    if ends[0] == 0.0:
        return _over(operation, keras.layers.ReLU(max_value=ends[1], name=operation.name))

    return _over(operation, plain_layer(operation.name, "clip", low=ends[0], high=ends[1]))


def prelu(operation: Operation) -> Value:
    """`PRelu`, with one slope or one for each channel."""
    import keras

    slope = operation.stored(1)
    data = operation.data
    if slope is None or (slope.size > 1 and (not data.last or slope.size != data.shape[1])):
        raise operation.refused("has a slope for other than channels")
    width = data.x.shape[-1]
    shared = tuple(range(1, len(data.shape) - 1))
    made = keras.layers.PReLU(shared_axes=shared, name=operation.name)
    result = made(data.x)
    made.set_weights([np.broadcast_to(slope.reshape(-1), (width,)).reshape(made.alpha.shape).astype(np.float32)])
    return Value(x=result, shape=operation.shape, last=data.last)


def hard_sigmoid(operation: Operation) -> Value:
    """`HardSigmoid`: that of Keras where the slope is a sixth, else spelled out."""
    import keras

    slope, offset = float(operation.given.get("alpha", 0.2)), float(operation.given.get("beta", 0.5))
    if abs(slope - 1 / 6) < 1e-6 and offset == 0.5:
        return _over(operation, keras.layers.Activation("hard_sigmoid", name=operation.name))
    line = plain_layer(f"{operation.name}.line", "scale", by=slope, plus=offset)(operation.data.x)
    made = plain_layer(operation.name, "clip", low=0.0, high=1.0)
    return Value(x=made(line), shape=operation.shape, last=operation.data.last)


def gelu(operation: Operation) -> Value:
    """`Gelu`, exact or by tanh."""
    import keras

    if operation.given.get("approximate", "none") == "tanh":
        return _over(operation, plain_layer(operation.name, "gelu", approximate=True))
    return _over(operation, keras.layers.Activation("gelu", name=operation.name))


def softmax(operation: Operation) -> Value:
    """`Softmax` along one axis, and `LogSoftmax`."""
    import keras

    data = operation.data
    newer = operation.version >= 13
    asked = int(operation.given.get("axis", -1 if newer else 1))
    if not newer and any(side != 1 for side in data.shape[asked % len(data.shape) + 1 :]):
        raise operation.refused("is of a version that sums over channels and pixels together")
    axis = axis_of(operation, data, asked)
    if operation.kind == "LogSoftmax":
        return _over(operation, plain_layer(operation.name, "log softmax", axis=axis))
    return _over(operation, keras.layers.Softmax(axis=axis, name=operation.name))


def function(kind: str) -> Callable[[Operation], Value]:
    """A function of one value, by the name that `keras.ops` has for it."""

    def apply(operation: Operation) -> Value:
        return _over(operation, plain_layer(operation.name, "of one", kind=kind))

    return apply


def _over(operation: Operation, made: Any) -> Value:
    data = operation.data
    return Value(x=made(data.x), shape=operation.shape, last=data.last)
