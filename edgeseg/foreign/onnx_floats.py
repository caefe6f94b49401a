"""Floats of other widths in an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def has_float16(path: Path) -> bool:
    """Whether an ONNX file stores weights in float16 or bfloat16."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    return any(
        tensor.data_type in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16) for tensor in graph.initializer
    )


def widen(proto: Any) -> None:
    """Write float16, bfloat16 and float64 as float32 everywhere: what is converted starts from float32."""
    from onnx import AttributeProto, TensorProto

    nodes = [node for graph in (proto.graph, *proto.functions) for node in graph.node]
    attributes = [(node, attribute) for node in nodes for attribute in node.attribute]
    stored = [attribute.t for _, attribute in attributes if attribute.type == AttributeProto.TENSOR]
    for tensor in (*proto.graph.initializer, *stored):
        _widen_tensor(tensor)
    for node, attribute in attributes:
        if node.op_type == "Cast" and attribute.name == "to" and attribute.i in _narrow():
            attribute.i = TensorProto.FLOAT
    for value in (*proto.graph.input, *proto.graph.output):
        if value.type.tensor_type.elem_type in _narrow():
            value.type.tensor_type.elem_type = TensorProto.FLOAT


def _widen_tensor(tensor: Any) -> None:
    from onnx import numpy_helper

    if tensor.data_type in _narrow():
        values = numpy_helper.to_array(tensor).astype(np.float32)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def _narrow() -> tuple[int, ...]:
    from onnx import TensorProto

    return TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE
