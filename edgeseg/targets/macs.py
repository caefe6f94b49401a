"""Counting the multiply-accumulates of a model file, as `edgeseg.variants.census` counts those of a network.

Convolutions, transposed convolutions and matrix products count; normalisation, activations, poolings and sums do not.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.quiet import quiet
from edgeseg.targets._ort_graph import read_graph

_CONVS = {"Conv": 1, "ConvInteger": 1, "QLinearConv": 3, "FusedConv": 1}
_PRODUCTS = {"Gemm": 1, "MatMul": 1, "MatMulInteger": 1, "QLinearMatMul": 3}
_FUSED = ("FusedConv", "QLinearAdd", "QLinearConcat", "QLinearLeakyRelu", "QLinearSigmoid")
"""Operators of ONNX Runtime's own domain whose cost is known here; all but the first are free."""
_FUSED_AFTER = ("Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "HardSigmoid", "BatchNormalization", "Add", "Sum")
"""What ONNX Runtime computes in one node with the convolution before it, which takes the name of the last result."""
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
    return total_macs(graph.node, _shapes(graph))


def _shapes(graph: Any) -> Shapes:
    found: Shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        dims = value.type.tensor_type.shape.dim
        found.setdefault(value.name, tuple(d.dim_value or (1 if i == 0 else 0) for i, d in enumerate(dims)))
    return found


def _ort_macs(path: Path) -> int | None:
    graph = read_graph(path)
    known = (node.domain in ("", "ai.onnx") or node.op_type in _FUSED for node in graph.nodes)
    return total_macs(graph.nodes, graph.shapes) if all(known) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Multiply-accumulates of one convolution or product; the channels that it reads and gives, for a convolution."""

    macs: int
    channels: tuple[int, int] | None


def costs_by_name(path: Path) -> dict[str, Cost]:
    """Return what each node of a `.onnx` file costs that computes sums of products, NCHW.

    ONNX Runtime calls the nodes that it makes after those of the file or after what they give, so each stands there
    under both names, and under what an operation behind it gives that the runtime may compute along with it. Nodes
    whose shapes do not tell are left out; it is empty for another format, and where `onnx` is not installed.
    """
    if path.suffix.lower() != ".onnx" or importlib.util.find_spec("onnx") is None:
        return {}
    import onnx

    try:
        with quiet():
            graph = onnx.shape_inference.infer_shapes(onnx.load(str(path))).graph
    except Exception:  # a file that a runtime runs, in a form that this does not know
        return {}
    shapes = _shapes(graph)
    found: dict[str, Cost] = {}
    for node in graph.node:
        if macs := _node_macs(node, shapes):
            ends = [shapes.get(name, ()) for name in (node.input[0], node.output[0])]
            channels = (ends[0][1], ends[1][1]) if all(len(shape) == 4 for shape in ends) else None
            found |= dict.fromkeys(filter(None, (node.name, node.output[0])), Cost(macs=macs, channels=channels))
        elif node.op_type in _FUSED_AFTER and (behind := [found[name] for name in node.input if name in found]):
            found[node.output[0]] = behind[-1]
    return found


def macs_by_step(model: Any) -> list[int]:
    """Return those of each operation of an unpacked TFLite file, in their order; 0 where they are not known."""
    return [_step_macs(model, step) or 0 for step in model.subgraphs[0].operators]


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
    found = [_step_macs(model, step) for step in model.subgraphs[0].operators]
    return None if None in found else sum(macs for macs in found if macs is not None)


def _step_macs(model: Any, step: Any) -> int | None:
    """Return what one operation of a TFLite file costs, NHWC; None where that is unknown."""
    from ai_edge_litert import schema_py_generated as schema

    kinds, graph, code = schema.BuiltinOperator, model.subgraphs[0], model.operatorCodes[step.opcodeIndex]
    shapes = [tuple(graph.tensors[i].shape) if i >= 0 else () for i in step.inputs]
    if code.customCode is not None or code.builtinCode == kinds.BATCH_MATMUL:
        return None
    if code.builtinCode in (kinds.CONV_2D, kinds.DEPTHWISE_CONV_2D):
        return int(math.prod(shapes[1]) * math.prod(graph.tensors[step.outputs[0]].shape[1:3]))
    if code.builtinCode == kinds.TRANSPOSE_CONV:
        return int(math.prod(shapes[1]) * math.prod(shapes[2][1:3]))
    if code.builtinCode == kinds.FULLY_CONNECTED:
        return int(math.prod(shapes[1]) * max(math.prod(shapes[0]) // shapes[1][-1], 1))
    return 0


_FORMATS: dict[str, tuple[str, Callable[[Path], int | None]]] = {
    ".onnx": ("onnx", _onnx_macs),
    ".ort": ("onnxruntime", _ort_macs),
    ".tflite": ("ai_edge_litert", _tflite_macs),
}
"""By suffix: the library that is needed, and what counts."""
