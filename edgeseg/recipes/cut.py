"""Taking channels out of a network: which of them go together, what they cost, and the smaller network and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import CheckpointError
from edgeseg.recipes.channels import Flow, Units, channel_flow
from edgeseg.recipes.layers import costs, cut_weight, narrowed

Channels = tuple[str, ...]
"""The slots whose channels a tensor carries; one that it carries twice, as behind a depthwise kernel, stands twice."""
_FIXED = "fixed"
Kept = Mapping[str, NDArray[np.int64]]
"""The indices of the channels that stay, rising, for each slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The arithmetic of one layer: `macs = pixels_times_kernel * channels in * channels out`.

    `inputs` is None where each channel has a kernel of its own. `together` is how many results each output channel has
    at one place of the kernel: those of all its positions in a transposed convolution, which int8 formats write as a
    1 x 1 convolution to so many channels; 1 in any other. `size` is the height and width of what it gives.
    """

    inputs: Channels | None
    outputs: Channels
    pixels_times_kernel: int
    size: tuple[int, ...]
    together: int = 1

    def work(self, widths: Mapping[str, int], *, lanes: int = 1, taken: int = 1) -> int:
        """Multiply-accumulates of a kernel that fills groups of `lanes` channels out and `taken` channels in."""
        wide = -(-self.together * sum(widths[s] for s in self.outputs) // lanes) * lanes
        deep = 1 if self.inputs is None else -(-sum(widths[s] for s in self.inputs) // taken) * taken
        return self.pixels_times_kernel * deep * wide // self.together


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anatomy:
    """Where the channels of a network run.

    A slot is a set of channels that every layer treats alike; a channel of it leaves all tensors that carry it at once.

    Attributes:
        flow: the units that each layer takes and gives.
        slots: the units of those that can lose channels, by name.
        products: what the layers cost.
        widths: how many channels each slot has, the fixed ones among them.
    """

    flow: Flow
    slots: dict[str, Units]
    products: tuple[Product, ...]
    widths: dict[str, int]

    def macs(self, widths: Mapping[str, int]) -> int:
        """Multiply-accumulates for one image at these widths, as `edgeseg.variants.census` counts them."""
        return self.work(widths, lanes=1)

    def work(self, widths: Mapping[str, int], *, lanes: int) -> int:
        """Multiply-accumulates of kernels that compute `lanes` output channels at a time, the last group filled up."""
        return sum(product.work(widths, lanes=lanes) for product in self.products)

    def stays(self, kept: Kept) -> Callable[[Units], NDArray[np.int64]]:
        """Return what gives the places of the kept channels in a tensor that carries these units."""
        keep = np.ones(self.flow.units, np.bool_)
        for slot, indices in kept.items():
            keep[self.slots[slot]] = False
            keep[self.slots[slot][indices]] = True
        return lambda units: np.flatnonzero(keep[units])


def anatomy(model: Any, families: tuple[str, ...] = ()) -> Anatomy:
    """Follow the channels through a built Keras 3 network, from its graph alone.

    Args:
        model: a flat functional network.
        families: names of slots: one takes the longest that the name of the first layer that makes its channels begins
            with, else that layer's own.
    """
    flow = channel_flow(model)
    names: dict[int, str] = {}
    slots, widths = dict[str, Units](), dict[str, int]()
    for units in _alike(flow):
        first = int(units[0])
        name = _named(flow.makers.get(first, _FIXED), families, taken=widths)
        widths[name] = len(units)
        if not flow.fixed[first]:
            slots[name] = units
        names.update(dict.fromkeys(map(int, units), name))

    def carried(units: Units) -> Channels:
        counts: dict[str, int] = {}
        for unit in map(int, units):
            counts[names[unit]] = counts.get(names[unit], 0) + 1
        return tuple(name for name, count in counts.items() for _ in range(count // widths[name]))

    products = []
    for call in flow.calls:
        for cost in costs(call.layer, call.node, call.inputs[0], call.output):
            product = Product(
                inputs=None if cost.inputs is None else carried(cost.inputs),
                outputs=carried(cost.outputs),
                pixels_times_kernel=cost.pixels_times_kernel,
                size=cost.size,
                together=cost.together,
            )
            products.append(product)
    return Anatomy(flow=flow, slots=slots, products=tuple(products), widths=widths)


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
    rows = found.stays(kept)
    calls = {call.layer.name: call for call in reversed(found.flow.calls)}
    result: dict[str, NDArray[np.float32]] = {}
    for layer in model.layers:
        for weight in layer.weights:
            call = calls[layer.name]
            taken, given = rows(call.inputs[0]), rows(call.output)
            array = np.asarray(arrays[weight.path], np.float32)
            if len(taken) == len(call.inputs[0]) and len(given) == len(call.output):
                result[weight.path] = array
                continue
            cut = cut_weight(layer, weight.path.rsplit("/", 1)[-1], array, taken, given)
            if cut is None:
                raise CheckpointError(
                    f"channels cannot be taken out of '{layer.name}', a {type(layer).__name__} layer with weights"
                )
            result[weight.path] = cut
    return {weight.path: result[weight.path] for weight in model.weights}


def cut_network(model: Any, found: Anatomy, kept: Kept) -> Any:
    """Return the network without the channels that are not kept; its weights are yet to be set (`cut_weights`)."""
    import keras

    rows = found.stays(kept)
    calls = {call.layer.name: call for call in reversed(found.flow.calls)}

    def smaller(layer: Any) -> Any:
        call = calls.get(layer.name)
        if call is None:
            return type(layer).from_config(layer.get_config())
        config = narrowed(layer, len(rows(call.output)), before=len(call.output))
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=smaller)


def _alike(flow: Flow) -> list[Units]:
    """Sort the units into sets that every tensor carries equally often, in the order of their first layers."""
    met: dict[int, list[tuple[int, int]]] = {}
    for place, call in enumerate(flow.calls):
        for side, units in enumerate((*call.inputs, call.output)):
            for unit, count in zip(*np.unique(units, return_counts=True), strict=True):
                met.setdefault(int(unit), []).append((place * 1000 + side, int(count)))
    groups: dict[tuple[Any, ...], list[int]] = {}
    for unit in sorted(met):
        groups.setdefault((bool(flow.fixed[unit]), *met[unit]), []).append(unit)
    return [np.array(units, np.int64) for units in groups.values()]


def _named(maker: str, families: tuple[str, ...], *, taken: Mapping[str, int]) -> str:
    fitting = [slot for slot in families if maker == slot or maker.startswith(f"{slot}_")]
    plain = max(fitting, key=len) if fitting else maker
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}:{number}"
    return name
