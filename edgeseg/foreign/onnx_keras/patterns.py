"""Several nodes that stand for one layer: group normalisation by reshaping, GELU by the error function, SiLU."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.foreign.onnx_file import OnnxGraph


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A node that is left out, or stands for several.

    Attributes:
        kind: the operation that stands for them.
        sources: the values that go in.
        given: attributes.
        stored: further inputs that are stored.
    """

    kind: str
    sources: tuple[str, ...]
    given: dict[str, Any]
    stored: tuple[NDArray[Any], ...] = ()


class Patterns:
    """Finds them; `matches` is keyed by the value that the last node of each gives."""

    def __init__(self, graph: OnnxGraph) -> None:
        """Look through a graph."""
        self._graph = graph
        self._makers = {name: node for node in graph.proto.graph.node for name in node.output}
        self._readers: dict[str, list[Any]] = {}
        for node in graph.proto.graph.node:
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
        self.matches: dict[str, Match] = {}
        for node in graph.proto.graph.node:
            found = self._group(node) if node.op_type == "InstanceNormalization" else None
            found = self._gelu(node) if node.op_type == "Erf" else found
            found = self._gated(node) if node.op_type in ("Sigmoid", "HardSigmoid") else found
            found = self._stacked(node) if node.op_type == "ReduceSum" else found
            if found is not None:
                self.matches[found[0]] = found[1]

    def _only_reader(self, name: str, kind: str) -> Any | None:
        readers = self._readers.get(name, [])
        if name in self._graph.outputs or len(readers) != 1 or readers[0].op_type != kind:
            return None
        return readers[0]

    def _constant(self, node: Any, besides: str) -> NDArray[Any] | None:
        others = [name for name in node.input if name != besides]
        return self._graph.constants.get(others[0]) if len(others) == 1 else None

    def _group(self, node: Any) -> tuple[str, Match] | None:
        """Match Reshape (1, G, ...) - InstanceNormalization - Reshape back - Mul - Add; the last two are optional."""
        before = self._makers.get(node.input[0])
        back = self._only_reader(node.output[0], "Reshape")
        if before is None or before.op_type != "Reshape" or back is None:
            return None
        shape = self._graph.shapes[before.input[0]]
        inside = self._graph.shapes[before.output[0]]
        if len(shape) != 4 or self._graph.shapes[back.output[0]] != shape or inside[:1] != (1,) or len(inside) < 3:
            return None
        groups, width = inside[1], shape[1]
        own_scale, own_offset = (self._graph.constants[name] for name in node.input[1:3])
        scale, offset = (np.repeat(values, width // groups) for values in (own_scale, own_offset))
        last = back.output[0]
        for kind in ("Mul", "Add"):
            follower = self._only_reader(last, kind)
            values = None if follower is None else self._constant(follower, last)
            if follower is None or values is None or values.size not in (1, width) or not _per_channel(values):
                continue
            full = np.broadcast_to(values.reshape(-1), (width,))
            scale, offset = (scale * full, offset * full) if kind == "Mul" else (scale, offset + full)
            last = follower.output[0]
        epsilon = next((attribute.f for attribute in node.attribute if attribute.name == "epsilon"), 1e-5)
        given = {"num_groups": groups, "epsilon": epsilon}
        stored = (scale.astype(np.float32), offset.astype(np.float32))
        return last, Match(kind="GroupNormalization", sources=(before.input[0],), given=given, stored=stored)

    def _gelu(self, node: Any) -> tuple[str, Match] | None:
        """Match x * (1 + erf(x / sqrt 2)) * 0.5, its products in any order."""
        scaled = self._makers.get(node.input[0])
        factor = None if scaled is None else self._scale(scaled)
        plus = self._only_reader(node.output[0], "Add")
        if factor is None or scaled is None or plus is None or not _close(self._constant(plus, node.output[0]), 1.0):
            return None
        if not math.isclose(factor, math.sqrt(0.5), rel_tol=1e-4):
            return None
        source = next(name for name in scaled.input if name not in self._graph.constants)
        first = self._only_reader(plus.output[0], "Mul")
        second = None if first is None else self._only_reader(first.output[0], "Mul")
        if first is None:
            return None
        other = next((name for name in first.input if name != plus.output[0]), "")
        if other == source and second is not None and _close(self._constant(second, first.output[0]), 0.5):
            return second.output[0], Match(kind="Gelu", sources=(source,), given={})
        if _close(self._graph.constants.get(other), 0.5) and second is not None and source in second.input:
            return second.output[0], Match(kind="Gelu", sources=(source,), given={})
        half = self._makers.get(other)
        if half is None or half.op_type != "Mul" or source not in half.input:
            return None
        fits = _close(self._constant(half, source), 0.5)
        return (first.output[0], Match(kind="Gelu", sources=(source,), given={})) if fits else None

    def _gated(self, node: Any) -> tuple[str, Match] | None:
        """Match x * sigmoid(x), which is SiLU, and x * hard_sigmoid(x), which is its piecewise form."""
        source = node.input[0]
        product = self._only_reader(node.output[0], "Mul")
        if product is None or source not in product.input:
            return None
        given = {a.name: a.f for a in node.attribute}
        if node.op_type == "Sigmoid":
            return product.output[0], Match(kind="Silu", sources=(source,), given={})
        usual = math.isclose(given.get("alpha", 0.2), 1 / 6, rel_tol=1e-5) and given.get("beta", 0.5) == 0.5
        return (product.output[0], Match(kind="HardSwish", sources=(source,), given={})) if usual else None

    def _stacked(self, node: Any) -> tuple[str, Match] | None:
        """Match the sum over a new first axis along which values were stacked: their sum."""
        joined = self._makers.get(node.input[0])
        axes = self._graph.constants.get(node.input[1]) if len(node.input) > 1 else None
        given = {a.name: a for a in node.attribute}
        kept = given["keepdims"].i if "keepdims" in given else 1
        if joined is None or joined.op_type != "Concat" or kept or axes is None or axes.tolist() != [0]:
            return None
        makers = [self._makers.get(name) for name in joined.input]
        sources = [
            maker.input[0] for maker in makers if maker is not None and maker.op_type in ("Unsqueeze", "Reshape")
        ]
        shape = self._graph.shapes[node.output[0]]
        if len(sources) != len(makers) or any(self._graph.shapes.get(name) != shape for name in sources):
            return None
        return node.output[0], Match(kind="Sum", sources=tuple(sources), given={})

    def _scale(self, node: Any) -> float | None:
        """By what a node multiplies, where it multiplies or divides by one stored number."""
        stored = [self._graph.constants[name] for name in node.input if name in self._graph.constants]
        if node.op_type not in ("Mul", "Div") or len(stored) != 1 or stored[0].size != 1:
            return None
        value = float(stored[0].reshape(-1)[0])
        return value if node.op_type == "Mul" else 1.0 / value


def _per_channel(values: NDArray[Any]) -> bool:
    """Whether an array of three or four axes, or one number, varies along the channels alone."""
    return values.size == 1 or (values.ndim >= 3 and values.shape[-3] == values.size)


def _close(values: NDArray[Any] | None, wanted: float) -> bool:
    return values is not None and values.size == 1 and math.isclose(float(values.reshape(-1)[0]), wanted, rel_tol=1e-5)
