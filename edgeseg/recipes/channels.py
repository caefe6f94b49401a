"""Following channels through any network: which of them must leave together, found from its graph, not from names.

Every channel that a layer makes begins as a unit of its own. Where a graph joins two values channel by channel (sums,
products) their units become one, since one cannot be narrower than the other; a concatenation puts units side by side;
a depthwise kernel hands them on. So each unit is what has to leave, or stay, at once (Fang et al., "DepGraph: Towards
Any Structural Pruning", CVPR 2023). Where a layer mixes its channels in a way that has no kernel to cut, its units are
fixed, and so are those of the image and of the logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.recipes.layers import DEPTHWISE, JOINED, KEPT, MAKERS, PER_CHANNEL, TOGETHER, mixes

Units = NDArray[np.int64]
"""The unit of each channel of a tensor, `(C,)`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One call of one layer: its node in the graph, and the units that it takes and gives."""

    layer: Any
    node: Any
    inputs: tuple[Units, ...]
    output: Units


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flow:
    """Where the units of a network run.

    Attributes:
        calls: of its layers, in the order in which they run; the input's is left out.
        units: how many there are.
        fixed: which of them cannot leave, `(units,) bool`.
        makers: the first layer that makes a unit; those of the image have none.
        reasons: by the name of each layer that keeps channels in place, why.
    """

    calls: tuple[Call, ...]
    units: int
    fixed: NDArray[np.bool_]
    makers: dict[int, str]
    reasons: dict[str, str]


def channel_flow(model: Any) -> Flow:
    """Follow the channels of a flat functional Keras 3 network from image to logits."""
    return _Walk(model).flow()


class _Walk:
    """Goes through the graph once; units are merged on the way, and numbered anew at the end."""

    def __init__(self, model: Any) -> None:
        self._of: dict[int, Units] = {}
        self._parent: list[int] = []
        self._fixed: set[int] = set()
        self._makers: dict[int, str] = {}
        self._reasons: dict[str, str] = {}
        self._known: dict[int, tuple[Units, Units]] = {}
        self._calls: list[Call] = []
        (image,), (logits,) = model.inputs, model.outputs
        self._of[id(image)] = self._fresh(image.shape[-1], None)
        self._fix(self._of[id(image)])
        depths = model._nodes_by_depth  # noqa: SLF001  (Keras 3 has no public way to the order of its calls)
        for node in (node for depth in sorted(depths, reverse=True) for node in depths[depth]):
            if not node.is_input:
                self._take(node)
        self._fix(self._of[id(logits)])

    def flow(self) -> Flow:
        """Return what was found, with units numbered from 0 in the order in which they came up."""
        roots = sorted({self._root(unit) for unit in range(len(self._parent))})
        number = {root: place for place, root in enumerate(roots)}
        final = np.array([number[self._root(unit)] for unit in range(len(self._parent))], np.int64)
        fixed = np.zeros(len(roots), np.bool_)
        fixed[final[sorted(self._fixed)]] = True
        makers: dict[int, str] = {}
        for unit, name in self._makers.items():
            makers.setdefault(int(final[unit]), name)
        calls = tuple(
            Call(layer=c.layer, node=c.node, inputs=tuple(final[u] for u in c.inputs), output=final[c.output])
            for c in self._calls
        )
        return Flow(calls=calls, units=len(roots), fixed=fixed, makers=makers, reasons=self._reasons)

    def _take(self, node: Any) -> None:
        layer, given = node.operation, [self._of[id(tensor)] for tensor in node.input_tensors]
        results = node.output_tensors
        made = self._through(layer, node, given, results[0])
        for tensor in results:
            self._of[id(tensor)] = made if tensor is results[0] else self._held(tensor)
        self._calls.append(Call(layer=layer, node=node, inputs=tuple(given), output=made))

    def _through(self, layer: Any, node: Any, given: list[Units], result: Any) -> Units:
        kind, width = type(layer).__name__, int(result.shape[-1] or 0)
        why = mixes(layer, len(given[0])) or _odd(layer, node, result)
        if why is not None:
            self._reasons[layer.name] = why
            for units in given:
                self._fix(units)
            return self._held(result)
        if kind in MAKERS:
            known = self._known.setdefault(id(layer), (given[0], self._fresh(width, layer.name)))
            self._join(known[0], given[0])
            return known[1]
        if kind in (*PER_CHANNEL, DEPTHWISE):
            self._join(self._known.setdefault(id(layer), (given[0], given[0]))[0], given[0])
        if kind == DEPTHWISE:
            return np.repeat(given[0], layer.depth_multiplier)
        if kind == JOINED:
            return np.concatenate(given)
        if kind in TOGETHER:
            whole = [units for units in given if len(units) == width]
            for units in whole[1:]:
                self._join(whole[0], units)
            return whole[0]
        return given[0]

    def _fresh(self, width: int, maker: str | None) -> Units:
        units = np.arange(len(self._parent), len(self._parent) + width)
        self._parent.extend(map(int, units))
        if maker is not None:
            self._makers.update(dict.fromkeys(map(int, units), maker))
        return units

    def _held(self, tensor: Any) -> Units:
        units = self._fresh(int(tensor.shape[-1] or 0), None)
        self._fix(units)
        return units

    def _fix(self, units: Units) -> None:
        self._fixed.update(map(int, units))

    def _join(self, one: Units, other: Units) -> None:
        for a, b in zip(map(int, one), map(int, other), strict=True):
            first, second = sorted((self._root(a), self._root(b)))
            self._parent[second] = first

    def _root(self, unit: int) -> int:
        while self._parent[unit] != unit:
            self._parent[unit] = self._parent[self._parent[unit]]
            unit = self._parent[unit]
        return unit


def _odd(layer: Any, node: Any, result: Any) -> str | None:
    """Say why one call of a layer that mixes no channels as a rule does so all the same."""
    kind, given = type(layer).__name__, node.input_tensors
    widths = [tensor.shape[-1] for tensor in given]
    if kind == "Reshape" and (result.shape[-1] != widths[0] or result.shape[-1] is None):
        return "reshapes its channels"
    if kind == "Rescaling" and (np.ndim(layer.scale) or np.ndim(layer.offset)):
        return "has a factor for each channel"
    if kind in (*TOGETHER, "Divide") and any(width not in (1, result.shape[-1]) for width in widths):
        return "joins values of several widths"
    if kind in (*TOGETHER, *KEPT):
        constants = [a for a in (*node.arguments.args, *node.arguments.kwargs.values()) if hasattr(a, "shape")]
        if any(np.ndim(a) for a in constants if not any(a is tensor for tensor in given)):
            return "has a constant for each channel"
    if kind not in (*MAKERS, DEPTHWISE, *TOGETHER, JOINED) and len(given) > 1:
        return "takes several values"
    return None
