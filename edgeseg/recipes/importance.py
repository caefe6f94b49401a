"""How much each channel of a network matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.losses import make_loss
from edgeseg.recipes.cut import IMAGE, LOGITS, Anatomy

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
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
    sums: dict[str, dict[str, NDArray[np.float64]]] = {"l1": {}, "gamma": {}}
    for layer in model.layers:
        kind, slots = type(layer).__name__, found.outputs.get(layer.name, ())
        if len(slots) != 1 or slots[0] in (IMAGE, LOGITS) or not layer.weights:
            continue
        first = np.abs(np.asarray(arrays[layer.weights[0].path], np.float64))
        if kind == "BatchNormalization":
            _add(sums["gamma"], slots[0], first)
        else:
            _add(sums["l1"], slots[0], first.sum(axis=(0, 1, 3) if kind == "Conv2DTranspose" else (0, 1, 2)))
    chosen = {slot: sums[criterion].get(slot, value) for slot, value in sums["l1"].items()}
    return {slot: value / max(float(value.mean()), 1e-30) for slot, value in chosen.items()}


def from_data(
    keras: Any, model: Any, found: Anatomy, batches: Iterable[Batch], *, criterion: str, loss: str
) -> Importance:
    """Judge channels by what they do on training batches.

    `activation` is the mean absolute activation, divided by the slot's mean. `taylor` estimates how much the loss would
    change without the channel: the square of the sum over pixels of activation x gradient, averaged over slices
    (Molchanov et al., "Importance Estimation for Neural Network Pruning", CVPR 2019); it compares slots as it is.

    Args:
        keras: Keras 3 on TensorFlow.
        model: the network, at the size of the batches.
        found: its anatomy.
        batches: each `(B, c, c, 3) float32 in [0, 1]` and `(B, c, c, 1 or 2) float32`.
        criterion: `activation` or `taylor`.
        loss: of training.
    """
    import tensorflow as tf

    watched = _watched(model, found)
    probe = keras.Model(
        model.inputs, [[layer.output for layer in layers] for layers in watched.values()] + [model.outputs[0]]
    )
    compute = make_loss(keras, loss)

    def measure(images: Any, targets: Any) -> Any:
        with tf.GradientTape() as tape:
            *given, logits = probe(images, training=False)
            value = compute(targets, logits)
        if criterion == "activation":
            return [sum(tf.reduce_mean(tf.abs(a), axis=(0, 1, 2)) for a in group) for group in given]
        slopes = tape.gradient(value, given)
        return [
            sum(
                tf.reduce_mean(tf.square(tf.reduce_sum(a * s, axis=(1, 2))), axis=0)
                for a, s in zip(group, slope, strict=True)
            )
            for group, slope in zip(given, slopes, strict=True)
        ]

    sums: Importance = {}
    compiled = tf.function(measure, autograph=False)
    for images, targets in batches:
        for slot, value in zip(watched, compiled(images, targets), strict=True):
            _add(sums, slot, np.asarray(value, np.float64))
    if criterion == "taylor":
        return sums
    return {slot: value / max(float(value.mean()), 1e-30) for slot, value in sums.items()}


def _watched(model: Any, found: Anatomy) -> dict[str, list[Any]]:
    """The layers whose results show what a slot's channels do: its ReLUs, or its convolution where it has none."""
    groups: dict[str, dict[str, list[Any]]] = {}
    for layer in model.layers:
        slots = found.outputs.get(layer.name, ())
        if len(slots) == 1 and slots[0] not in (IMAGE, LOGITS):
            groups.setdefault(slots[0], {}).setdefault(type(layer).__name__, []).append(layer)
    return {slot: kinds.get("ReLU") or kinds["Conv2DTranspose"] for slot, kinds in groups.items()}


def _add(sums: dict[str, NDArray[np.float64]], slot: str, value: NDArray[np.float64]) -> None:
    sums[slot] = sums[slot] + value if slot in sums else value
