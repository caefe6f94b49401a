"""What each kind of layer does to the channels that run through it: facts as data, the same for everybody's networks.

A kind that stands nowhere here is taken to mix all of its channels, so that none of them can be taken out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAKERS = {"Conv2D": "filters", "Conv2DTranspose": "filters", "SeparableConv2D": "filters", "Dense": "units"}
"""Layers that make channels of their own, with the option that says how many."""
PER_CHANNEL = ("BatchNormalization", "PReLU", "GroupNormalization")
"""Layers that have weights for each channel and mix none; a group normalisation only where each channel is a group."""
DEPTHWISE = "DepthwiseConv2D"
ACTIVATIONS = ("ReLU", "LeakyReLU", "PReLU", "ELU", "Activation", "Silu", "Sigmoid", "Tanh", "Relu", "Relu6", "Gelu")
"""Layers whose results show best what a channel does."""
KEPT = (
    *PER_CHANNEL, *ACTIVATIONS, "MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D", "GlobalMaxPooling2D",
    "UpSampling2D", "ZeroPadding2D", "Cropping2D", "Resizing", "Dropout", "SpatialDropout2D", "GaussianNoise",
    "GaussianDropout", "Identity", "ActivityRegularization", "LeakyRelu", "Elu", "HardSigmoid", "HardSilu", "Swish",
)  # fmt: skip
"""Layers and operations that give channel by channel what they make of it."""
TOGETHER = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Divide", "TrueDivide")
"""What joins several values channel by channel: a sum of paths, a gate, an excitation."""
JOINED = "Concatenate"


def mixes(layer: Any, width: int) -> str | None:
    """Say why a layer mixes its channels, which could not lose one then; None where it does not.

    Args:
        layer: a layer or operation of Keras 3.
        width: how many channels it takes.
    """
    kind = type(layer).__name__
    if kind in MAKERS or kind == DEPTHWISE:
        if getattr(layer, "data_format", "channels_last") != "channels_last":
            return "has its channels first"
        groups = getattr(layer, "groups", 1)
        return f"a convolution in {groups} groups" if groups > 1 else None
    if kind == "GroupNormalization":
        return None if layer.groups in (-1, width) and layer.axis in (-1, 3) else "normalises over several channels"
    if kind == "BatchNormalization":
        return None if layer.axis in (-1, 3) else "normalises along another axis than the channels"
    if kind == "Activation" and getattr(layer.activation, "__name__", "") in ("softmax", "log_softmax"):
        return "a softmax over all channels"
    if kind == JOINED:
        return None if layer.axis in (-1, 3) else "joins along another axis than the channels"
    return None if kind in (*KEPT, *TOGETHER, "Reshape", "Rescaling") else f"a {kind}, which may mix channels"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cost:
    """The arithmetic of a layer's kernel over units in and out; `inputs` is None where each channel has its own.

    `size` is the height and width that it is computed at.
    """

    inputs: NDArray[np.int64] | None
    outputs: NDArray[np.int64]
    pixels_times_kernel: int
    size: tuple[int, ...]
    together: int = 1


def costs(layer: Any, call: Any, given: NDArray[np.int64], made: NDArray[np.int64]) -> list[Cost]:
    """Return what one call of a layer costs; nothing for one without a kernel.

    Args:
        layer: of Keras 3.
        call: the node of this call.
        given: the units that it takes.
        made: those that it gives.
    """
    kind = type(layer).__name__
    size_in, size = (tuple(side[0].shape[1:-1]) for side in (call.input_tensors, call.output_tensors))
    pixels_in, pixels_out = math.prod(size_in), math.prod(size)
    if kind == "Dense":
        return [Cost(inputs=given, outputs=made, pixels_times_kernel=pixels_out, size=size)]
    if kind not in MAKERS and kind != DEPTHWISE:
        return []
    area = math.prod(layer.kernel_size)
    if kind == "Conv2DTranspose":
        return [Cost(inputs=given, outputs=made, pixels_times_kernel=area * pixels_in, size=size, together=area)]
    if kind == DEPTHWISE:
        return [Cost(inputs=None, outputs=made, pixels_times_kernel=area * pixels_out, size=size)]
    if kind == "SeparableConv2D":
        deep = np.repeat(given, layer.depth_multiplier)
        return [
            Cost(inputs=None, outputs=deep, pixels_times_kernel=area * pixels_out, size=size),
            Cost(inputs=deep, outputs=made, pixels_times_kernel=pixels_out, size=size),
        ]
    if layer.groups > 1:  # neither side loses a channel
        work = area * pixels_out * len(given) // layer.groups
        return [Cost(inputs=None, outputs=made, pixels_times_kernel=work, size=size)]
    return [Cost(inputs=given, outputs=made, pixels_times_kernel=area * pixels_out, size=size)]


def cut_weight(
    layer: Any, name: str, array: NDArray[np.float32], taken: NDArray[np.int64], given: NDArray[np.int64]
) -> NDArray[np.float32] | None:
    """Cut one weight of a layer; None where its form is not known.

    Args:
        layer: of Keras 3.
        name: of the weight, such as `kernel`.
        array: its values.
        taken: the places of the channels that stay in what the layer takes.
        given: likewise in what it gives.
    """
    kind = type(layer).__name__
    if kind in PER_CHANNEL or (name == "bias" and array.ndim == 1):
        return array[..., given]
    if kind == "Conv2DTranspose":
        return array[:, :, given][:, :, :, taken]
    if kind == DEPTHWISE or name == "depthwise_kernel":
        return array[:, :, taken]
    if kind == "SeparableConv2D":
        times = layer.depth_multiplier
        deep = (taken[:, np.newaxis] * times + np.arange(times)).ravel()
        return array[:, :, deep][:, :, :, given]
    return array[..., taken, :][..., given] if kind in MAKERS else None


def narrowed(layer: Any, width: int, *, before: int) -> dict[str, Any]:
    """Return a layer's configuration for `width` channels in its result, in place of those `before`."""
    kind, config = type(layer).__name__, dict(layer.get_config())
    if (option := MAKERS.get(kind)) is not None:
        config[option] = width
    elif kind == "GroupNormalization" and layer.groups == before:
        config["groups"] = width
    elif kind == "Reshape":
        config["target_shape"] = (*config["target_shape"][:-1], width)
    return config
