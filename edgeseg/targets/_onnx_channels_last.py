"""Rearrangements of an int8 ONNX graph in the order in which its kernels keep pixels: the same codes, fewer moves.

ONNX Runtime computes int8 convolutions, poolings and concatenations with channels last, and puts a transposition in
front of and behind whatever has no such kernel. A DepthToSpace between two convolutions costs two of them, keeps the
concatenation behind it with channels first too, and has no integer kernel in versions such as 1.23, which then load no
such graph on Arm. Written as what it is, reshapes and transpositions of codes, they cancel out.

A strided first convolution stays as it is: its image comes with channels first, and ONNX Runtime takes longer to order
it in squares of pixels (`_blocks`) than the convolution of them saves.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.targets import _onnx

_TO_LAST, _APART, _TO_FIRST = (0, 2, 3, 1), (0, 1, 3, 2, 4, 5), (0, 3, 1, 2)


def channels_last(proto: Any) -> None:
    """Write each DepthToSpace between codes with channels last.

    Args:
        proto: a QDQ graph; it is changed.
    """
    shapes, graph = _onnx.shapes(proto), proto.graph
    makers = {node.output[0]: node for node in graph.node}
    nodes: list[Any] = []
    left_out: set[str] = set()
    for node in graph.node:
        before = makers.get(node.input[0])
        behind = [other for other in graph.node if node.output[0] in other.input]
        if node.op_type == "DepthToSpace" and before is not None and _moves_codes(before, node, behind):
            nodes += _moves(graph, node, before.input[0], behind[0].output[0], shapes[before.input[0]])
            left_out.add(behind[0].name)
        elif node.name not in left_out:
            nodes.append(node)
    _onnx.set_nodes(graph, nodes)
    _onnx.sort(graph)
    _onnx.share_equal_constants(graph)
    _onnx.rename(proto)


def _moves_codes(before: Any, node: Any, behind: list[Any]) -> bool:
    """Tell whether a DepthToSpace of rows before columns before channels gives the codes that it takes."""
    modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
    ends = [before.op_type, *(reader.op_type for reader in behind)]
    if ends != ["DequantizeLinear", "QuantizeLinear"] or modes not in ([], [b"DCR"]):
        return False
    return list(before.input[1:]) == list(behind[0].input[1:])


def _moves(graph: Any, node: Any, given: str, made: str, shape: tuple[int, ...]) -> list[Any]:
    from onnx import helper, numpy_helper

    (_, depth, high, wide), side = shape, next(int(a.i) for a in node.attribute if a.name == "blocksize")
    deep, nodes = depth // side**2, []
    tall, broad = high * side, wide * side
    last = (1, tall, broad, deep) if deep > 1 else (1, 1, tall, broad)  # one channel stands alike in either order
    steps = [("Transpose", _TO_LAST), ("Reshape", (1, high, wide, side, side, deep)), ("Transpose", _APART)]
    steps += [("Reshape", last), *([("Transpose", _TO_FIRST)] if deep > 1 else [])]
    for place, (kind, numbers) in enumerate(steps):
        name = f"{node.name}_{place}"
        result = made if place == len(steps) - 1 else name
        if kind == "Transpose":
            nodes.append(helper.make_node(kind, [given], [result], perm=numbers, name=name))
        else:
            graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), f"{name}_shape"))
            nodes.append(helper.make_node(kind, [given, f"{name}_shape"], [result], name=name))
        given = result
    return nodes
