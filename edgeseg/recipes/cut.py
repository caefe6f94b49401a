"""Taking channels out of a network: which channels each tensor carries, what that costs, and the smaller weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import CheckpointError

CONVOLUTIONS = ("Conv2D", "Conv2DTranspose")
Channels = tuple[str, ...]
"""The slots whose channels a tensor carries, one behind the other; a skip and what came up are two."""
IMAGE, LOGITS = "image", "logits"
"""The slots of the network's ends, which nothing is taken from."""
Kept = Mapping[str, NDArray[np.int64]]
"""The indices of the channels that stay, rising, for each slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The arithmetic of one convolution: `macs = pixels_times_kernel * channels in * channels out`.

    `together` is how many results each output channel has at one place of the kernel: those of all its positions in a
    transposed convolution, which int8 formats write as a 1 x 1 convolution to so many channels; 1 in any other.
    """

    layer: str
    inputs: Channels
    output: str
    pixels_times_kernel: int
    together: int = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """Where the channels of a network run.

    Attributes:
        inputs: the channels that each layer takes, by its name.
        outputs: those that it gives.
        products: what the convolutions cost.
        widths: how many channels each slot has.
    """

    inputs: dict[str, Channels]
    outputs: dict[str, Channels]
    products: tuple[Product, ...]
    widths: dict[str, int]

    def macs(self, widths: Mapping[str, int]) -> int:
        """Multiply-accumulates for one image at these widths, as `edgeseg.variants.census` counts them."""
        return self.work(widths, lanes=1)

    def work(self, widths: Mapping[str, int], *, lanes: int) -> int:
        """Multiply-accumulates of kernels that compute `lanes` output channels at a time, the last group filled up."""
        total = 0
        for p in self.products:
            wide = -(-p.together * widths[p.output] // lanes) * lanes
            total += p.pixels_times_kernel * sum(widths[s] for s in p.inputs) * wide // p.together
        return total


def anatomy(model: Any, slots: tuple[str, ...]) -> Anatomy:
    """Follow the channels through a built Keras 3 network.

    Args:
        model: of a family of `edgeseg.variants`.
        slots: the family's; a convolution belongs to the longest of them that its name begins with.
    """
    inputs: dict[str, Channels] = {}
    outputs: dict[str, Channels] = {}
    products: list[Product] = []
    widths = {IMAGE: int(model.inputs[0].shape[-1]), LOGITS: int(model.outputs[0].shape[-1])}
    carried: dict[int, Channels] = {id(model.inputs[0]): (IMAGE,)}

    def channels(tensor: Any) -> Channels:
        if id(tensor) not in carried:
            # Keras 3 tells what made a tensor only through the history that it names as private.
            operation, index, _ = tensor._keras_history  # noqa: SLF001
            given = [channels(t) for t in operation._inbound_nodes[index].input_tensors]  # noqa: SLF001
            joined = type(operation).__name__ == "Concatenate"
            taken = tuple(slot for part in given for slot in part) if joined else given[0]
            inputs.setdefault(operation.name, taken)
            result = taken
            if type(operation).__name__ in CONVOLUTIONS:
                slot = _slot(operation.name, slots)
                widths[slot] = int(tensor.shape[-1])
                products.append(_product(operation, index, taken, slot))
                result = (slot,)
            carried[id(tensor)] = outputs[operation.name] = result
        return carried[id(tensor)]

    channels(model.outputs[0])
    return Anatomy(inputs=inputs, outputs=outputs, products=tuple(products), widths=widths)


def cut_weights(
    model: Any, found: Anatomy, arrays: Mapping[str, NDArray[Any]], kept: Kept
) -> dict[str, NDArray[np.float32]]:
    """Return the weights of the network without the channels that are not kept.

    Args:
        model: the network that `arrays` belong to.
        found: its anatomy.
        arrays: by name, in the network's order.
        kept: for every slot that loses channels; others keep all.

    Raises:
        CheckpointError: when a layer has weights that this does not know how to cut.
    """

    def rows(slots: Channels) -> NDArray[np.int64]:
        """The places of the kept channels in a tensor that carries `slots`."""
        starts = np.cumsum([0, *(found.widths[slot] for slot in slots)])
        parts = [kept.get(slot, np.arange(found.widths[slot])) + s for slot, s in zip(slots, starts, strict=False)]
        return np.concatenate(parts)

    result: dict[str, NDArray[np.float32]] = {}
    for layer in model.layers:
        for weight in layer.weights:
            array, kind = np.asarray(arrays[weight.path], np.float32), type(layer).__name__
            taken, given = rows(found.inputs[layer.name]), rows(found.outputs[layer.name])
            if array.ndim == 1 and kind in (*CONVOLUTIONS, "BatchNormalization"):
                result[weight.path] = array[given]
            elif kind == "Conv2D":
                result[weight.path] = array[:, :, taken][:, :, :, given]
            elif kind == "Conv2DTranspose":
                result[weight.path] = array[:, :, given][:, :, :, taken]
            else:
                raise CheckpointError(f"channels cannot be taken out of '{layer.name}', a {kind} layer with weights")
    return {weight.path: result[weight.path] for weight in model.weights}


def _slot(layer: str, slots: tuple[str, ...]) -> str:
    fitting = [slot for slot in slots if layer == slot or layer.startswith(f"{slot}_")]
    return max(fitting, key=len) if fitting else LOGITS


def _product(layer: Any, call: int, inputs: Channels, output: str) -> Product:
    node = layer._inbound_nodes[call]  # noqa: SLF001
    transposed = type(layer).__name__ == "Conv2DTranspose"
    shape = (node.input_tensors if transposed else node.output_tensors)[0].shape
    area = math.prod(layer.kernel_size)
    work = area * shape[1] * shape[2]
    return Product(
        layer=layer.name,
        inputs=inputs,
        output=output,
        pixels_times_kernel=work,
        together=area if transposed else 1,
    )
