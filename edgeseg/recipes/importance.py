"""How much each channel of a network matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.losses import make_loss
from edgeseg.recipes.channels import Call
from edgeseg.recipes.cut import Anatomy
from edgeseg.recipes.layers import ACTIVATIONS, MAKERS
from edgeseg.recipes.recipe import Batch
from edgeseg.specs import Contract

_KERNELS = ("kernel", "pointwise_kernel")
Importance = dict[str, NDArray[np.float64]]
"""For each slot one number per channel, at least 0; 0 for a channel that nothing would miss."""


def from_weights(
    model: Any, found: Anatomy, arrays: Mapping[str, NDArray[np.float32]], *, criterion: str
) -> Importance:
    """Judge channels by their weights.

    `l1` is the sum of absolute kernel weights (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017), `gamma`
    the absolute scale of the batch normalisation that follows (Liu et al., "Network Slimming", ICCV 2017); a slot
    without one takes `l1`. Both are divided by the slot's mean, so that slots can be compared.
    """
    sums: dict[str, Importance] = {"l1": {}, "gamma": {}}
    outputs = {call.layer.name: call.output for call in found.flow.calls}
    for layer in model.layers:
        kind = type(layer).__name__
        kernels = [weight for weight in layer.weights if weight.path.rsplit("/", 1)[-1] in _KERNELS]
        if kind == "BatchNormalization" and layer.scale:
            _spread(sums["gamma"], found, outputs[layer.name], np.abs(_values(arrays, layer.gamma)))
        elif kind in MAKERS and kernels:
            size = np.abs(_values(arrays, kernels[-1]))
            axes = (0, 1, 3) if kind == "Conv2DTranspose" else tuple(range(size.ndim - 1))
            _spread(sums["l1"], found, outputs[layer.name], size.sum(axis=axes))
    chosen = {slot: sums[criterion].get(slot, value) for slot, value in sums["l1"].items()}
    return {slot: value / max(float(value.mean()), 1e-30) for slot, value in chosen.items()}


def from_data(
    keras: Any,
    model: Any,
    found: Anatomy,
    batches: Iterable[Batch],
    *,
    criterion: str,
    loss: str,
    classes: int = 0,
    contract: Contract | None = None,
) -> Importance:
    """Judge channels by what they do on training batches.

    `activation` is the mean absolute activation, divided by the slot's mean. `taylor` estimates how much the loss would
    change without the channel: the square of the sum over pixels of activation x gradient, averaged over slices
    (Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019); it compares slots as it is.

    Args:
        keras: Keras 3 on TensorFlow.
        model: the network, at the size of the batches.
        found: its anatomy.
        batches: each `(B, c, c, C) float32 in [0, 1]` and targets, `(B, c, c, T) float32`.
        criterion: `activation` or `taylor`.
        loss: of training.
        classes: how many the targets have; 0 for one mask.
        contract: of somebody else's network, of whose channels its regions are made.
    """
    import tensorflow as tf

    watched = _watched(model, found)
    tensors = [[call.node.output_tensors[0] for call in calls] for calls in watched.values()]
    probe = keras.Model(model.inputs, [*tensors, model.outputs[0]])
    places = [[_places(found, slot, call) for call in calls] for slot, calls in watched.items()]
    compute = make_loss(keras, loss, classes, contract)

    def judged(value: Any, slope: Any) -> Any:
        over = tuple(range(1, len(value.shape) - 1))
        if criterion == "activation":
            return tf.reduce_mean(tf.abs(value), axis=(0, *over))
        return tf.reduce_mean(tf.square(tf.reduce_sum(value * slope, axis=over)), axis=0)

    def measure(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            *given, logits = probe(images, training=False)
            value = compute(targets, logits)
        slopes = given if criterion == "activation" else tape.gradient(value, given)
        return [
            sum(_of_slot(tf, judged(a, s), at) for a, s, at in zip(*group, strict=True))
            for group in zip(given, slopes, places, strict=True)
        ]

    sums: Importance = {}
    compiled = tf.function(measure, autograph=False)
    for images, targets in batches:
        for slot, value in zip(watched, compiled(images, targets), strict=True):
            _add(sums, slot, np.asarray(value, np.float64))
    if criterion == "taylor":
        return sums
    return {slot: value / max(float(value.mean()), 1e-30) for slot, value in sums.items()}


def _watched(model: Any, found: Anatomy) -> dict[str, list[Call]]:
    """The calls whose results show what a slot's channels do: its activations, or what makes them where it has none."""
    calls: dict[str, list[Call]] = {}
    for call in found.flow.calls:
        calls.setdefault(call.layer.name, []).append(call)
    ordered = [call for layer in model.operations for call in calls.get(layer.name, ())]
    watched = {}
    for slot, units in found.slots.items():
        carrying = [call for call in ordered if np.isin(units, call.output).all()]
        alone = [call for call in carrying if len(call.output) == len(units)]
        active = [call for call in alone if _is_active(call.layer)]
        makers = [call for call in carrying if type(call.layer).__name__ in MAKERS]
        watched[slot] = active or [call for call in makers if len(call.output) == len(units)] or makers
    order = {call.layer.name: place for place, call in reversed(list(enumerate(ordered)))}
    return dict(sorted(watched.items(), key=lambda item: order[found.flow.makers[int(found.slots[item[0]][0])]]))


def _is_active(layer: Any) -> bool:
    kind, function = type(layer).__name__, getattr(layer, "activation", None)
    return kind in ACTIVATIONS or (kind in MAKERS and getattr(function, "__name__", "linear") != "linear")


def _places(found: Anatomy, slot: str, call: Call) -> NDArray[np.int64] | None:
    """Where a slot's units first stand in what a call gives; None where it gives just these in order."""
    units = found.slots[slot]
    if np.array_equal(units, call.output):
        return None
    order = np.argsort(call.output, kind="stable")
    return order[np.searchsorted(call.output[order], units)]


def _of_slot(tf: Any, value: Any, places: NDArray[np.int64] | None) -> Any:
    return value if places is None else tf.gather(value, places)


def _values(arrays: Mapping[str, NDArray[np.float32]], weight: Any) -> NDArray[np.float64]:
    return np.asarray(arrays[weight.path], np.float64)


def _spread(sums: Importance, found: Anatomy, output: NDArray[np.int64], value: NDArray[np.float64]) -> None:
    """Add a number for each channel of a tensor to those of the slots that it carries."""
    for slot, units in found.slots.items():
        inside = np.isin(output, units)
        if inside.any():
            own = np.zeros(len(units), np.float64)
            np.add.at(own, np.searchsorted(units, output[inside]), value[inside])
            _add(sums, slot, own)


def _add(sums: Importance, slot: str, value: NDArray[np.float64]) -> None:
    sums[slot] = sums[slot] + value if slot in sums else value
