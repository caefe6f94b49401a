"""What of an int8 ONNX graph is computed in float because nothing computes it in integers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from edgeseg.targets import _onnx_mixed
from edgeseg.targets._keras import OUTPUT, Form, Network, keras_tensors
from edgeseg.targets.graph import GraphForm

MOVES = (
    "DepthToSpace", "Flatten", "MaxPool", "Reshape", "Resize", "Slice", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
"""Operations that take one value and give no number that it lacks; `Resize` may mean some, which lie between."""
KERNELS = (
    *MOVES, "Add", "AveragePool", "Clip", "Concat", "Conv", "Gemm", "GlobalAveragePool", "LeakyRelu", "MatMul", "Mul",
    "Relu", "Sigmoid", "Softmax",
)  # fmt: skip
"""Operations for which ONNX Runtime has an integer kernel."""


_PRODUCTS = ("Conv", "Gemm", "MatMul")
"""Operations whose second input is a kernel; where it comes from the image, there is no integer kernel for both."""


def logit_values(proto: Any, form: Form) -> list[str]:
    """Name the values that are the logits, before and after what moves them, last first: they must share one scale."""
    makers = {node.output[0]: node for node in proto.graph.node}
    moves = ("DepthToSpace",) if form.plain else MOVES
    found = [OUTPUT]
    while (maker := makers.get(found[-1])) is not None and maker.op_type in moves:
        found.append(maker.input[0])
    return found


def value_layers(proto: Any, layers: dict[str, str], form: Form) -> dict[str, str]:
    """Name the layer whose range each value has; values that nothing tells of are left out.

    What only moves a value has that value's range, so that its codes move as they are. Of a layer that is several
    operations only the last value has a range: that of the layer.
    """
    if isinstance(form, GraphForm):
        return _of_graph(proto, layers)
    last = {layers[node.output[0]]: node.output[0] for node in proto.graph.node if node.output[0] in layers}
    parts = _parts(proto, layers)
    inner = {value for value, layer in layers.items() if parts[layer] > 1 and last.get(layer) != value}
    found: dict[str, str] = {}
    readers: dict[str, list[Any]] = {}
    for node in proto.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for node in proto.graph.node:
        value, followers = node.output[0], readers.get(node.output[0], [])
        if value in inner:
            continue
        if node.op_type in MOVES and node.input[0] in found:
            found[value] = found[node.input[0]]
        elif value in layers:
            found[value] = layers[value]
        elif len(followers) == 1 and followers[0].op_type in ("Clip", "Relu") and followers[0].output[0] in layers:
            found[value] = layers[followers[0].output[0]]
        elif (maker := _maker(followers, layers, form)) is not None:
            found[value] = maker
    return found


def _of_graph(proto: Any, layers: dict[str, str]) -> dict[str, str]:
    """Name it where nodes are the layers: every float value has a range, and moved ones take that of their source."""
    found: dict[str, str] = {}
    for node in proto.graph.node:
        for value in node.output:
            if node.op_type in MOVES and node.input[0] in found:
                found[value] = found[node.input[0]]
            elif value in layers:
                found[value] = layers[value]
    return found


def _maker(followers: list[Any], layers: dict[str, str], form: Network) -> str | None:
    """Name the layer of a value whose name was lost, from a layer that takes it and nothing else."""
    makers = {id(step.result): step.name for step in form.steps}
    steps = {step.name: step for step in form.steps}
    for node in followers:
        step = steps.get(layers.get(node.output[0], ""))
        taken = [] if step is None else keras_tensors(step.arguments)
        if len(taken) == 1 and id(taken[0]) in makers:
            return makers[id(taken[0])]
    return None


def float_nodes(
    proto: Any, found: dict[str, str], layers: dict[str, str], owners: dict[str, str], asked: tuple[str, ...]
) -> tuple[str, ...]:
    """Name the nodes that stay in float.

    They are those of the layers asked for; of layers that are several operations, since only what such a layer gives
    has a range that was measured; and those without a kernel, or without a range for what they take or give.

    Args:
        proto: the float graph.
        found: the layer whose range each value has.
        layers: the layer that gives each value.
        owners: see `Network.owners`.
        asked: names of layers that were chosen to stay in float.
    """
    stored = {tensor.name for tensor in proto.graph.initializer}
    known = {*found, *stored, proto.graph.input[0].name, ""}
    parts = _parts(proto, layers)
    kept = set(_onnx_mixed.kept_nodes(proto, {**found, **layers}, owners, asked)) if asked else set()
    for node in proto.graph.node:
        layer = layers.get(node.output[0])
        several = layer is not None and parts[layer] > 1
        ranged = node.output[0] in found and all(name in known for name in node.input)
        products = node.op_type in _PRODUCTS and node.input[1] not in stored
        if several or products or not ranged or node.op_type not in KERNELS:
            kept.add(node.name)
    return tuple(node.name for node in proto.graph.node if node.name in kept)


def _parts(proto: Any, layers: dict[str, str]) -> Counter[str]:
    """Count the operations of each layer that compute something."""
    nodes = (node for node in proto.graph.node if node.op_type not in MOVES and node.output[0] in layers)
    return Counter(layers[node.output[0]] for node in nodes)


def float_layers(proto: Any, kept: tuple[str, ...], layers: dict[str, str]) -> tuple[str, ...]:
    """Name the layers that nodes which stay in float compute, each once, in their order; moves do not count."""
    names = (layers.get(n.output[0]) for n in proto.graph.node if n.name in kept and n.op_type not in MOVES)
    return tuple(dict.fromkeys(name.partition(":")[0] for name in names if name is not None))
