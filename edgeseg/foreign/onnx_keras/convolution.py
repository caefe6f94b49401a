"""Convolutions and matrix products."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.foreign.onnx_keras.values import Operation, Value, as_onnx, channels_last
from edgeseg.foreign.onnx_keras.windows import Window, padded, window_of
from edgeseg.targets.plain import plain_layer


def conv(operation: Operation) -> Value:
    """`Conv` over an image, also depthwise and in groups."""
    kernel, bias = _weights(operation)
    data = operation.data
    window = window_of(operation, kernel.shape[2:], _image(data))
    x, padding = padded(window, _image(data), channels_last(data, operation.name), operation.name)
    groups = int(operation.given.get("group", 1))
    made = _conv_layer(operation, kernel, window, groups, padding, biased=bias is not None)
    result = made(x)
    rows = kernel.transpose(2, 3, 1, 0)
    if _depthwise(kernel, groups):
        rows = kernel.transpose(2, 3, 1, 0).reshape(*window.kernel, groups, -1)
    made.set_weights([rows] if bias is None else [rows, bias])
    return Value(x=result, shape=operation.shape, last=True)


def _depthwise(kernel: NDArray[Any], groups: int) -> bool:
    return groups > 1 and kernel.shape[1] == 1


def _conv_layer(
    operation: Operation, kernel: NDArray[Any], window: Window, groups: int, padding: str, *, biased: bool
) -> Any:
    import keras

    shared = {
        "kernel_size": window.kernel,
        "strides": window.strides,
        "dilation_rate": window.dilations,
        "padding": padding,
        "use_bias": biased,
        "name": operation.name,
    }
    if len(set(window.strides)) > 1 and _depthwise(kernel, groups):
        raise operation.refused(f"is depthwise with strides {window.strides}")
    if _depthwise(kernel, groups):
        return keras.layers.DepthwiseConv2D(depth_multiplier=kernel.shape[0] // groups, **shared)
    return keras.layers.Conv2D(kernel.shape[0], groups=groups, **shared)


def conv_transpose(operation: Operation) -> Value:
    """`ConvTranspose` over an image; what ONNX pads is cut off the full result."""
    import keras

    kernel, bias = _weights(operation)
    groups = int(operation.given.get("group", 1))
    window = window_of(operation, kernel.shape[2:], _image(operation.data))
    if window.dilations != (1, 1):
        raise operation.refused(f"is dilated {window.dilations}")
    x = channels_last(operation.data, operation.name)
    many = kernel.shape[1]
    parts = [x] if groups == 1 else _parts(x, groups, operation.name)
    results = []
    for index, (part, weights) in enumerate(zip(parts, np.split(kernel, groups), strict=True)):
        name = operation.name if groups == 1 else f"{operation.name}.{index}"
        made = keras.layers.Conv2DTranspose(
            many, window.kernel, strides=window.strides, padding="valid", use_bias=bias is not None, name=name
        )
        results.append(made(part))
        own = [weights.transpose(2, 3, 1, 0)]
        made.set_weights(own if bias is None else [*own, bias[index * many : (index + 1) * many]])
    joined = results[0] if groups == 1 else keras.layers.Concatenate(name=f"{operation.name}.join")(results)
    return Value(x=_cut(operation, joined, window), shape=operation.shape, last=True)


def _cut(operation: Operation, x: Any, window: Window) -> Any:
    """Crop the full result of a transposed convolution to the size that ONNX gives, or pad it with zeros to that."""
    import keras

    before = (window.pads[0][0], window.pads[1][0])
    if operation.given.get("auto_pad", "NOTSET") in ("SAME_UPPER", "SAME_LOWER") or "output_shape" in operation.given:
        totals = [
            (n - 1) * s + k - wanted
            for n, s, k, wanted in zip(
                _image(operation.data), window.strides, window.kernel, operation.shape[2:], strict=True
            )
        ]
        upper = operation.given.get("auto_pad", "NOTSET") != "SAME_LOWER"
        first, second = (total // 2 if upper else total - total // 2 for total in totals)
        before = (max(first, 0), max(second, 0))
    full = tuple(x.shape[1:3])
    after = tuple(f - b - wanted for f, b, wanted in zip(full, before, operation.shape[2:], strict=True))
    crop = tuple((b, max(a, 0)) for b, a in zip(before, after, strict=True))
    if any(map(any, crop)):
        x = keras.layers.Cropping2D(crop, name=f"{operation.name}.crop")(x)
    if any(a < 0 for a in after):
        short = tuple((0, max(-a, 0)) for a in after)
        x = keras.layers.ZeroPadding2D(short, name=f"{operation.name}.pad")(x)
    return x


def _parts(x: Any, groups: int, name: str) -> list[Any]:
    width = x.shape[-1] // groups

    def part(index: int) -> Any:
        return plain_layer(f"{name}.part{index}", "cut", cuts=[None, None, None, [index * width, (index + 1) * width]])

    return [part(index)(x) for index in range(groups)]


def gemm(operation: Operation) -> Value:
    """`Gemm` of a vector and stored weights."""
    given = operation.given
    weights = operation.stored(1)
    if weights is None or given.get("transA", 0):
        raise operation.refused("multiplies two values that depend on the image")
    matrix = (weights.T if given.get("transB", 0) else weights) * np.float32(given.get("alpha", 1.0))
    offset = operation.stored(2)
    bias = None if offset is None else np.broadcast_to(offset * np.float32(given.get("beta", 1.0)), matrix.shape[1:])
    return _dense(operation, matrix, bias)


def matmul(operation: Operation) -> Value:
    """`MatMul` of values, or with stored weights of two axes."""
    first, second = operation.value(0), operation.value(1)
    if second.constant and second.x.ndim == 2:
        return _dense(operation, np.asarray(second.x), None)
    if second.constant or first.constant:
        raise operation.refused("multiplies with stored weights of more than two axes")
    made = plain_layer(operation.name, "of two", kind="matmul")
    x = made(as_onnx(first, f"{operation.name}.a"), as_onnx(second, f"{operation.name}.b"))
    return Value(x=x, shape=operation.shape)


def _dense(operation: Operation, matrix: NDArray[Any], bias: NDArray[Any] | None) -> Value:
    import keras

    x = as_onnx(operation.data, operation.name)
    made = keras.layers.Dense(matrix.shape[1], use_bias=bias is not None, name=operation.name)
    result = made(x)
    made.set_weights([matrix] if bias is None else [matrix, bias])
    return Value(x=result, shape=operation.shape)


def _weights(operation: Operation) -> tuple[NDArray[Any], NDArray[Any] | None]:
    kernel = operation.stored(1)
    if kernel is None:
        raise operation.refused("has no weights")
    if kernel.ndim != 4:
        raise operation.refused(f"slides along {kernel.ndim - 2} axes")
    return kernel, operation.stored(2)


def _image(value: Value) -> tuple[int, int]:
    height, width = value.shape[2:]
    return height, width
