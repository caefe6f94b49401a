"""A strided convolution of few channels, written as a convolution over squares of pixels: the same function.

A kernel of `k` x `k` pixels that moves by `s`, where `s` divides `k`, sees whole squares of `s` x `s` pixels. After
space-to-depth each square is one pixel of `s * s` times the channels, and the kernel is one of `k / s` squares that
moves by 1, with the same numbers in another order. Kernels pad few channels to a whole group, so 3 cost what 12 do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW = 4
"""More channels than these fill a group of their own in most kernels."""


def in_blocks(kernel: NDArray[Any], side: int) -> NDArray[Any]:
    """Order a kernel's numbers for squares of pixels, as space-to-depth orders their channels.

    Args:
        kernel: `(k, k, C, O)`, `k` a multiple of `side`.
        side: of a square, in pixels.

    Returns:
        `(k / side, k / side, side * side * C, O)`, rows of a square before columns before channels.
    """
    high, wide, channels, filters = kernel.shape
    split = kernel.reshape(high // side, side, wide // side, side, channels, filters)
    return np.ascontiguousarray(
        split.transpose(0, 2, 1, 3, 4, 5).reshape(high // side, wide // side, side * side * channels, filters)
    )


def sees_blocks(layer: Any, shape: tuple[int | None, ...]) -> bool:
    """Tell whether a Keras layer is such a convolution, with its padding and image in whole squares too.

    Args:
        layer: any.
        shape: of what it takes, `(N, H, W, C)`.
    """
    sizes = [size for size in shape[1:] if size is not None]
    if type(layer).__name__ != "Conv2D" or len(sizes) != 3:
        return False
    side, kernel, (high, wide, channels) = layer.strides[0], layer.kernel_size, sizes
    whole = not any(size % side for size in (*kernel, high, wide))
    around = [(size - side) // 2 if layer.padding == "same" else 0 for size in kernel]
    return bool(
        side > 1
        and layer.strides == (side, side)
        and whole
        and not any((size - side) % 2 for size in kernel if layer.padding == "same")
        and not any(size % side for size in around)
        and channels <= FEW
        and layer.groups == 1
        and layer.dilation_rate == (1, 1)
        and layer.data_format == "channels_last"
        and layer.activation.__name__ == "linear"
    )


def over_blocks(layer: Any) -> Any:
    """Return the Keras layer that computes the same over squares of pixels; it has the name and kernel of `layer`."""
    import keras
    import tensorflow as tf

    side, padding = layer.strides[0], layer.padding.upper()
    kernel = in_blocks(np.asarray(layer.kernel), side)
    offset = np.asarray(layer.bias) if layer.use_bias else None

    class SpaceToDepth(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            x = tf.nn.conv2d(tf.nn.space_to_depth(x, side), kernel, 1, padding)
            return x if offset is None else tf.nn.bias_add(x, offset)

        def compute_output_spec(self, x: Any) -> Any:
            return layer.compute_output_spec(x)

    made = SpaceToDepth(name=layer.name)
    made.kernel = layer.kernel
    return made
