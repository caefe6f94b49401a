"""Pooling and reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.foreign.onnx_keras.values import Operation, Value, as_onnx, axis_of, channels_last
from edgeseg.foreign.onnx_keras.windows import NO_PADS, Window, repeat_edges, same_pads, window_of
from edgeseg.targets.plain import plain_layer


def max_pool(operation: Operation) -> Value:
    """`MaxPool`; where it pads, the edge is repeated, which every window that reaches over it holds anyway."""
    import keras

    window, image, x = _window(operation)
    if window.dilations != (1, 1):
        raise operation.refused(f"is dilated {window.dilations}")
    if any(max(pads) >= kernel for pads, kernel in zip(window.pads, window.kernel, strict=True)):
        raise operation.refused("has windows that lie outside of the image")
    padding = "same" if window.pads == same_pads(window, image) else "valid"
    if padding == "valid" and window.pads != NO_PADS:
        x = repeat_edges(x, window.pads, operation.name)
    made = keras.layers.MaxPooling2D(window.kernel, strides=window.strides, padding=padding, name=operation.name)
    return Value(x=made(x), shape=operation.shape, last=True)


def average_pool(operation: Operation) -> Value:
    """`AveragePool`, whose windows count what is padded or leave it out.

    Windows that are not full are averaged with zeros, and multiplied by what that makes too little.
    """
    import keras

    window, image, x = _window(operation)
    if window.dilations != (1, 1):
        raise operation.refused(f"is dilated {window.dilations}")
    share = _share_counted(operation, window, image)
    padding = "valid"
    if window.pads != NO_PADS:
        own = [_counted(w, side, (0, 0)) for w, side in zip(_sides(window), image, strict=True)]
        left_out = np.multiply.outer(*own) / float(np.prod(window.kernel))
        if window.pads == same_pads(window, image) and np.allclose(share, left_out):
            padding, share = "same", np.ones_like(share)
        else:
            x = keras.layers.ZeroPadding2D(window.pads, name=f"{operation.name}.pad")(x)
    made = keras.layers.AveragePooling2D(window.kernel, strides=window.strides, padding=padding, name=operation.name)
    x = made(x)
    if not np.allclose(share, 1.0):
        whole = (1.0 / share).astype(np.float32)[np.newaxis, :, :, np.newaxis]
        x = plain_layer(f"{operation.name}.share", "with constant", whole, kind="multiply")(x)
    return Value(x=x, shape=operation.shape, last=True)


def _share_counted(operation: Operation, window: Window, image: tuple[int, int]) -> NDArray[np.float64]:
    """Return which share of each window an average is divided by, `(h, w)`: what `ceil_mode` adds never counts."""
    given = operation.given.get("pads", (0, 0, 0, 0))
    pads = ((given[0], given[2]), (given[1], given[3]))
    if operation.given.get("auto_pad", "NOTSET") != "NOTSET":
        pads = window.pads
    if not operation.given.get("count_include_pad", 0):
        pads = NO_PADS
    counts = [_counted(w, side, own) for w, side, own in zip(_sides(window), image, pads, strict=True)]
    return np.multiply.outer(*counts) / float(np.prod(window.kernel))


def _sides(window: Window) -> list[tuple[int, int, tuple[int, int]]]:
    """Return kernel, stride and pads along height, and along width."""
    return list(zip(window.kernel, window.strides, window.pads, strict=True))


def _counted(window: tuple[int, int, tuple[int, int]], side: int, pads: tuple[int, int]) -> NDArray[np.int64]:
    """Count along one axis how many places of each window lie on the image and on `pads` around it."""
    kernel, stride, (before, after) = window
    starts = np.arange(0, side + before + after - kernel + 1, stride) - before
    ends = np.minimum(starts + kernel, side + pads[1])
    return ends - np.maximum(starts, -pads[0])


def global_pool(kind: str) -> Callable[[Operation], Value]:
    """Pool a whole image: `GlobalAveragePool`, `GlobalMaxPool`."""

    def pool(operation: Operation) -> Value:
        return _whole(operation, kind)

    return pool


def reduction(kind: str) -> Callable[[Operation], Value]:
    """`ReduceMean`, `ReduceMax` and so on; over the image's two axes it is a pooling."""

    def reduce(operation: Operation) -> Value:

        data = operation.data
        asked = operation.stored(1, "axes")
        if asked is None or asked.size == 0:
            raise operation.refused("goes over all axes, the batch among them")
        axes = sorted(int(axis) % len(data.shape) for axis in np.atleast_1d(asked))
        keep = bool(operation.given.get("keepdims", 1))
        if len(data.shape) == 4 and axes == [2, 3] and keep and kind in ("mean", "max"):
            return _whole(operation, {"mean": "Average", "max": "Max"}[kind])
        held = data if keep or not data.last else Value(x=as_onnx(data, f"{operation.name}.in"), shape=data.shape)
        places = tuple(axis_of(operation, held, axis) for axis in axes)
        made = plain_layer(operation.name, "reduce", kind=kind, axes=list(places), keep=keep)
        return Value(x=made(held.x), shape=operation.shape, last=held.last)

    return reduce


def _whole(operation: Operation, kind: str) -> Value:
    import keras

    made = getattr(keras.layers, f"Global{kind}Pooling2D")(keepdims=True, name=operation.name)
    return Value(x=made(channels_last(operation.data, operation.name)), shape=operation.shape, last=True)


def _window(operation: Operation) -> tuple[Window, tuple[int, int], Any]:
    data = operation.data
    if len(data.shape) != 4:
        raise operation.refused(f"pools a value of {len(data.shape)} axes")
    image = (data.shape[2], data.shape[3])
    kernel = tuple(int(side) for side in operation.given["kernel_shape"])
    return window_of(operation, kernel, image), image, channels_last(data, operation.name)
