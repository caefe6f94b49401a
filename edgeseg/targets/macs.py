"""Counting the multiply-accumulates of a model file, as `edgeseg.variants.census` counts those of a network.

Convolutions, transposed convolutions and matrix products count; normalisation, activations, poolings and sums do not.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from edgeseg.quiet import quiet
from edgeseg.targets._ort_graph import read_graph

_CONVS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3, "FusedConv": 1}
_PRODUCTS = {"Gemm": 1, "MatMul": 1, "MatMulInteger": 1, "QLinearMatMul": 3}
_FUSED = ("FusedConv", "QLinearAdd", "QLinearConcat", "QLinearLeakyRelu", "QLinearSigmoid")
"""Operators of ONNX Runtime's own domain whose cost is known here; all but the first are free."""
Shapes = dict[str, tuple[int, ...]]


def count_macs(path: Path) -> int | None:
    """Return the multiply-accumulates of one run of a `.onnx`, `.ort` or `.tflite` file with a batch of 1.

    None where the file does not tell (a shape is open, an operator is not a standard one) or the library that reads
    the format is not installed.
    """
    library, count = _FORMATS.get(path.suffix.lower(), ("", None))
    if count is None or importlib.util.find_spec(library) is None:
        return None
    try:
        with quiet():
            return count(path)
    except Exception:  # a file that a runtime runs, in a form that this does not know
        return None


def _onnx_macs(path: Path) -> int | None:
    import onnx

    model = onnx.load(str(path))
    if any(node.domain not in ("", "ai.onnx") for node in model.graph.node):
        return None
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes: Shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        shapes.setdefault(value.name, tuple(d.dim_value or (1 if i == 0 else 0) for i, d in enumerate(dims)))
    return total_macs(graph.node, shapes)


def _ort_macs(path: Path) -> int | None:
    graph = read_graph(path)
    known = (node.domain in ("", "ai.onnx") or node.op_type in _FUSED for node in graph.nodes)
    return total_macs(graph.nodes, graph.shapes) if all(known) else None


def total_macs(nodes: Iterable[Any], shapes: Shapes) -> int | None:
    """Add up what ONNX nodes cost; None where a shape that decides it is unknown."""
    found = [_node_macs(node, shapes) for node in nodes]
    return None if None in found else sum(macs for macs in found if macs is not None)


def _node_macs(node: Any, shapes: Shapes) -> int | None:
    """Return what one ONNX node costs, NCHW; None where a shape that decides it is unknown."""
    kind = node.op_type
    if kind in _CONVS:
        weight, pixels = shapes.get(node.input[_CONVS[kind]]), shapes.get(node.output[0])
    elif kind == "ConvTranspose":
        weight, pixels = shapes.get(node.input[1]), shapes.get(node.input[0])
    elif kind in _PRODUCTS:
        left, right = shapes.get(node.input[0]), shapes.get(node.input[_PRODUCTS[kind]])
        return math.prod(left) * right[-1] or None if left and right else None
    else:
        return 0
    return math.prod(weight) * math.prod(pixels[2:]) or None if weight and pixels else None


def _tflite_macs(path: Path) -> int | None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    kinds = schema.BuiltinOperator
    graph, total = model.subgraphs[0], 0
    for step in graph.operators:
        code = model.operatorCodes[step.opcodeIndex]
        shapes = [tuple(graph.tensors[i].shape) if i >= 0 else () for i in step.inputs]
        if code.customCode is not None:
            return None
        if code.builtinCode in (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D):
            total += math.prod(shapes[1]) * math.prod(graph.tensors[step.outputs[0]].shape[1:3])
        elif code.builtinCode == kinds.TRANSPOSE_CONV:
            total += math.prod(shapes[1]) * math.prod(shapes[2][1:3])
        elif code.builtinCode == kinds.FULLY_CONNECTED:
            total += math.prod(shapes[1]) * max(math.prod(shapes[0]) // shapes[1][-1], 1)
        elif code.builtinCode == kinds.BATCH_MATMUL:
            return None
    return int(total)


_FORMATS: dict[str, tuple[str, Callable[[Path], int | None]]] = {
    ".onnx": ("onnx", _onnx_macs),
    ".ort": ("onnxruntime", _ort_macs),
    ".tflite": ("ai_edge_litert", _tflite_macs),
}
"""By suffix: the library that is needed, and what counts."""
