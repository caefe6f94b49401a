"""Give a TFLite file of int8 float32 ends, for runtimes that take no others, such as LiteRT.js in a browser."""

from __future__ import annotations

from typing import Any

_QUANTIZE, _DEQUANTIZE, _FLOAT32 = 114, 6, 0
"""Numbers of TFLite's schema."""
_IDENTIFIER = b"TFL3"


def with_float_ends(model: bytes) -> bytes:
    """Return a TFLite file of int8 ends with float32 ends: a QUANTIZE before it, a DEQUANTIZE behind it.

    All between, and its metadata, stays as it was, so a code that goes in as `(code - zero_point) * scale` meets the
    same arithmetic. Equal files give equal bytes. A contract inside keeps its text, and its digest of the file is that
    of the file before.

    Args:
        model: a file that LiteRT opens, of one graph with one int8 input and one int8 output.
    """
    from ai_edge_litert import schema_py_generated as schema
    from flatbuffers import Builder

    whole = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    (graph,) = whole.subgraphs
    (first,), (last,) = list(graph.inputs), list(graph.outputs)
    start, end = _beside(schema, graph, first, b"image_float32"), _beside(schema, graph, last, b"output_float32")
    before = _operator(schema, whole, _QUANTIZE, start, first)
    graph.operators = [before, *graph.operators, _operator(schema, whole, _DEQUANTIZE, last, end)]
    graph.inputs, graph.outputs = [start], [end]
    for signature in whole.signatureDefs or []:
        signature.inputs[0].tensorIndex, signature.outputs[0].tensorIndex = start, end
    builder = Builder(len(model))
    builder.Finish(whole.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _beside(schema: Any, graph: Any, index: int, name: bytes) -> int:
    """Add a float32 tensor of the shape of another, and return its number."""
    tensor = schema.TensorT()
    tensor.name, tensor.type, tensor.buffer = name, _FLOAT32, 0
    tensor.shape, tensor.shapeSignature = graph.tensors[index].shape, graph.tensors[index].shapeSignature
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _operator(schema: Any, whole: Any, number: int, given: int, made: int) -> Any:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = number
    code.version = 1
    whole.operatorCodes.append(code)
    found = schema.OperatorT()
    found.opcodeIndex, found.inputs, found.outputs = len(whole.operatorCodes) - 1, [given], [made]
    return found
