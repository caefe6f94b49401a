"""Equalization: channels are scaled so that all of them span the same range, and the network computes what it did.

A rectifier passes a positive factor on, so what a convolution's channel is divided by, the next convolution can
multiply its weights for that channel by. int8 has one scale for all channels of a tensor, and for both sides of a
concatenation: where one channel reaches 500 and another 5, the second keeps a hundredth of the steps. Batch
normalisation keeps channels alike by itself; a network without it has to be equalized, or int8 ruins it.

Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019; the ranges
are those of activations on training batches in place of weights. Nothing is trained, and no byte is saved: int8 loses
less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.recipes.channels import Call, Flow, channel_flow
from edgeseg.recipes.recipe import Batch, Outcome, Recipe, Workbench
from edgeseg.specs import Equalize

NAME = "equalize"
_SCALED = ("Conv2D", "Conv2DTranspose")
_PASSING = (
    "LeakyReLU", "MaxPooling2D", "AveragePooling2D", "UpSampling2D", "ZeroPadding2D", "Cropping2D", "Concatenate",
    "Add", "Average", "Maximum", "Dropout", "SpatialDropout2D", "Identity", "Relu", "LeakyRelu",
)  # fmt: skip
"""What gives a positive factor on its channels on, beside a plain ReLU."""
_STRAIGHT = ("linear", "relu", "leaky_relu")
_QUIET = 0.05
"""Of the loudest channel of its layer: the least range that a channel is given, whatever the batches showed."""


def apply(parent: Checkpoint, spec: Equalize, bench: Workbench) -> Outcome:
    """Scale the channels by their ranges on training batches.

    Raises:
        OptionError: when no channel can be scaled, as behind batch normalisation.
    """
    model = bench.network(parent)
    flow = channel_flow(model)
    free = _free(flow)
    if not free.any():
        raise OptionError(
            f"'{NAME}' finds no channel that can be scaled in {parent.header.variant.slug}: its convolutions are "
            "followed by layers that pass no factor on, as batch normalisation, which keeps channels alike by itself; "
            "leave it out of the chain"
        )
    ranges = _ranges(model, flow, free, bench.batches(parent, parent.header.train, spec.batches))
    header = parent.header
    return Outcome(
        variant=header.variant,
        arrays=_scaled(flow, np.where(free, ranges, 1.0), parent.arrays),
        train=header.train,
        history=bench.learned(),
        foreign=header.foreign,
    )


def _free(flow: Flow) -> NDArray[np.bool_]:
    """Say of each unit whether every layer that it meets passes a factor on."""
    free = ~flow.fixed
    for call in flow.calls:
        if not _passes(call.layer):
            for units in (*call.inputs, call.output):
                free[units] = False
    return free


def _passes(layer: Any) -> bool:
    kind = type(layer).__name__
    if kind == "ReLU":
        return layer.max_value is None and not layer.threshold
    if kind in _SCALED or kind == "Activation":
        return getattr(layer.activation, "__name__", "") in _STRAIGHT
    return kind in _PASSING


def _ranges(model: Any, flow: Flow, free: NDArray[np.bool_], batches: Iterable[Batch]) -> NDArray[np.float64]:
    """Return how far each unit reaches behind its activation, at least `_QUIET` of its layer's loudest."""
    calls = [call for call in flow.calls if free[call.output].any()]
    probe = load_keras().Model(model.inputs[0], [call.node.output_tensors[0] for call in calls])
    most = [np.zeros(len(call.output)) for call in calls]
    for images, _ in batches:
        for place, value in enumerate(probe(images, training=False)):
            given = np.asarray(value)
            most[place] = np.maximum(most[place], np.abs(given).max(axis=tuple(range(given.ndim - 1))))
    found = np.full(flow.units, np.inf)
    for call, high in zip(calls, most, strict=True):
        np.minimum.at(found, call.output, np.maximum(high, _QUIET * high.max(initial=0.0)))
    return np.where(np.isfinite(found) & (found > 0.0), found, 1.0)


def _scaled(flow: Flow, ranges: NDArray[np.float64], arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """Divide what makes a channel by its range, and multiply what takes it."""
    found = {name: np.asarray(array, np.float64) for name, array in arrays.items()}
    makers = {call.layer.name: call for call in reversed(flow.calls) if type(call.layer).__name__ in _SCALED}
    for call in makers.values():
        _scale(call, ranges, found)
    return {name: array.astype(np.float32) for name, array in found.items()}


def _scale(call: Call, ranges: NDArray[np.float64], arrays: dict[str, NDArray[np.float64]]) -> None:
    taken, given = ranges[call.inputs[0]], ranges[call.output]
    rows, columns = taken[:, np.newaxis], given[np.newaxis, :]
    if type(call.layer).__name__ == "Conv2DTranspose":  # its kernel has channels out before channels in
        rows, columns = taken[np.newaxis, :], given[:, np.newaxis]
    arrays[call.layer.kernel.path] *= rows / columns
    if call.layer.use_bias:
        arrays[call.layer.bias.path] /= given


RECIPE: Recipe = Recipe(name=NAME, summary="scales channels to one range: int8 loses less", apply=apply)
