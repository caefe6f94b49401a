"""Layers of an int8 ONNX graph that are computed in float all the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.targets import _onnx
from edgeseg.targets._keras import INPUT, OUTPUT

_WEIGHTED = ("Conv", "ConvTranspose")


def kept_nodes(proto: Any, values: dict[str, str], owners: dict[str, str], layers: tuple[str, ...]) -> tuple[str, ...]:
    """Name the nodes that compute layers which stay in float: their convolutions, and the ReLU behind each.

    Args:
        proto: the float graph.
        values: the layer of each value.
        owners: see `Network.owners`.
        layers: names of the layers with the kernels.
    """
    kept = {
        node.output[0]: node.name
        for node in proto.graph.node
        if node.op_type in _WEIGHTED and owners.get(values[node.output[0]]) in layers
    }
    relus = [node.name for node in proto.graph.node if node.op_type == "Relu" and node.input[0] in kept]
    return (*kept.values(), *relus)


def quantise_ends(proto: Any, overrides: dict[str, Any]) -> None:
    """Put the codes of input and logits where the quantizer put none, since the layer beside them stays in float."""
    from onnx import helper

    graph = proto.graph
    if not any(node.op_type == "QuantizeLinear" and INPUT in node.input for node in graph.node):
        real = f"{INPUT}_real"
        for node in graph.node:
            node.input[:] = [real if name == INPUT else name for name in node.input]
        names = _constants(graph, INPUT, overrides[INPUT][0])
        graph.node.append(helper.make_node("QuantizeLinear", [INPUT, *names], [f"{INPUT}_codes"]))
        graph.node.append(helper.make_node("DequantizeLinear", [f"{INPUT}_codes", *names], [real]))
    if not any(node.op_type == "DequantizeLinear" and OUTPUT in node.output for node in graph.node):
        real = f"{OUTPUT}_real"
        for node in graph.node:
            node.output[:] = [real if name == OUTPUT else name for name in node.output]
        names = _constants(graph, OUTPUT, overrides[OUTPUT][0])
        graph.node.append(helper.make_node("QuantizeLinear", [real, *names], [f"{OUTPUT}_codes"]))
        graph.node.append(helper.make_node("DequantizeLinear", [f"{OUTPUT}_codes", *names], [OUTPUT]))


def halve_kernels(proto: Any, kept: tuple[str, ...]) -> None:
    """Store the kernels of nodes that stay in float as float16; they are read as float32."""
    from onnx import TensorProto, helper, numpy_helper

    graph = proto.graph
    for node in [node for node in graph.node if node.name in kept and node.op_type in _WEIGHTED]:
        kernel = _onnx.constant(proto, node.input[1])
        half, read = f"{node.name}_half", f"{node.name}_read"
        graph.initializer.append(numpy_helper.from_array(kernel.astype(np.float16), half))
        graph.node.append(helper.make_node("Cast", [half], [read], to=TensorProto.FLOAT))
        node.input[1] = read
    _onnx.drop_unused(graph)


def is_float(node: Any, makers: dict[str, Any]) -> bool:
    """Tell whether a node belongs to a layer that stays in float: its convolution, its kernel's cast, or its ReLU."""
    if node.op_type in _WEIGHTED:
        return node.input[1] in makers and makers[node.input[1]].op_type == "Cast"
    if node.op_type == "Relu":
        return node.input[0] in makers and is_float(makers[node.input[0]], makers)
    return bool(node.op_type == "Cast")


def _constants(graph: Any, end: str, code: dict[str, Any]) -> list[str]:
    from onnx import numpy_helper

    names = [f"{end}_end_scale", f"{end}_end_zero_point"]
    for name, value in zip(names, (code["scale"], code["zero_point"]), strict=True):
        graph.initializer.append(numpy_helper.from_array(value, name))
    return names
