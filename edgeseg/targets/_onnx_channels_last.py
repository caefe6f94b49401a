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
    """Write each DepthToSpace of rows before columns before channels between codes with channels last.

    All moves stand between one DequantizeLinear and one QuantizeLinear, as the DepthToSpace did: ONNX Runtime takes
    them to codes on Arm, and where it keeps them in float (x86 by default) the convolution before them stays whole.

    Args:
        proto: a QDQ graph; it is changed.
    """
    shapes, graph = _onnx.shapes(proto), proto.graph
    makers = {node.output[0]: node for node in graph.node}
    nodes: list[Any] = []
    for node in graph.node:
        before = makers.get(node.input[0])
        modes = [attribute.s for attribute in node.attribute if attribute.name == "mode"]
        of_codes = before is not None and before.op_type == "DequantizeLinear"
        if node.op_type == "DepthToSpace" and of_codes and modes in ([], [b"DCR"]):
            nodes += _moves(graph, node, shapes[node.input[0]])
        else:
            nodes.append(node)
    _onnx.set_nodes(graph, nodes)
    _onnx.share_equal_constants(graph)
    _onnx.rename(proto)


def _moves(graph: Any, node: Any, shape: tuple[int, ...]) -> list[Any]:
    from onnx import helper, numpy_helper

    (_, depth, high, wide), side = shape, next(int(a.i) for a in node.attribute if a.name == "blocksize")
    deep, nodes, given = depth // side**2, [], node.input[0]
    tall, broad = high * side, wide * side
    last = (1, tall, broad, deep) if deep > 1 else (1, 1, tall, broad)  # one channel stands alike in either order
    steps = [("Transpose", _TO_LAST), ("Reshape", (1, high, wide, side, side, deep)), ("Transpose", _APART)]
    steps += [("Reshape", last), *([("Transpose", _TO_FIRST)] if deep > 1 else [])]
    for place, (kind, numbers) in enumerate(steps):
        name = f"{node.name}_{place}"
        result = node.output[0] if place == len(steps) - 1 else name
        if kind == "Transpose":
            nodes.append(helper.make_node(kind, [given], [result], perm=numbers, name=name))
        else:
            graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), f"{name}_shape"))
            nodes.append(helper.make_node(kind, [given, f"{name}_shape"], [result], name=name))
        given = result
    return nodes
