"""Counting what a network holds and what it computes."""

from __future__ import annotations

import math
from typing import Any

from edgeseg.results import Census

_COUNTED = ("Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "Dense")
_KERNELS = ("kernel", "depthwise_kernel", "pointwise_kernel")


def census(model: Any) -> Census:
    """Count parameters and multiply-accumulates (MACs) of a built functional network, for a batch of one.

    Convolutions, transposed convolutions and dense layers count, each as often as it is applied (the shared ones of
    R2U-Net several times); normalisation, activations, poolings and sums do not, as is usual. A convolution costs
    output pixels x kernel elements; a transposed one costs input pixels x kernel elements.
    """
    if hasattr(model, "census"):  # one that is no Keras network counts itself
        counted: Census = model.census()
        return counted
    macs, own = 0, {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}  # noqa: SLF001
    for layer in model.layers:
        kind = type(layer).__name__
        if kind not in _COUNTED:
            continue
        kernel = sum(math.prod(w.shape) for w in layer.weights if w.path.rsplit("/", 1)[-1] in _KERNELS)
        for shape in _pixel_shapes(layer, "input" if kind == "Conv2DTranspose" else "output", own):
            macs += kernel * math.prod(shape[1:-1])
    return Census(
        parameters=sum(math.prod(w.shape) for w in model.weights),
        trainable_parameters=sum(math.prod(w.shape) for w in model.trainable_weights),
        macs=macs,
    )


def _pixel_shapes(layer: Any, side: str, own: set[int]) -> list[tuple[int, ...]]:
    """The `(N, H, W, C)` shapes at one side of a layer, one for each time its network applies it.

    Keras 3 tells how often a layer is applied only through the nodes of its graph, which it names as private. A layer
    keeps the nodes of whatever else it was built into, such as a conversion; `own` are those of the network itself.
    """
    tensors = "input_tensors" if side == "input" else "output_tensors"
    return [tuple(getattr(node, tensors)[0].shape) for node in layer._inbound_nodes if id(node) in own]  # noqa: SLF001
