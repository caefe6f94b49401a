"""ONNX models that would run without end or take all memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = (16, 24)
KEY = "edgeseg.contract"


def model(
    contract: str | None, *nodes: Any, initializers: tuple[Any, ...] = (), functions: tuple[Any, ...] = ()
) -> bytes:
    """A model that gives FLAIR plus the scalar `extra`, which `nodes` make."""
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    given = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, *SIZE])
    made = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, *SIZE])
    last = [
        helper.make_node("ReduceMean", ["image", "axes"], ["grey"], keepdims=1),
        helper.make_node("Add", ["grey", "extra"], ["logits"]),
    ]
    graph = helper.make_graph([*nodes, *last], "g", [given], [made], [axes, *initializers])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    whole = helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=9)
    if contract is not None:
        helper.set_model_props(whole, {KEY: contract})
    return bytes(whole.SerializeToString())


def _number(name: str, *values: int) -> Any:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def plain(contract: str | None) -> bytes:
    return model(contract, initializers=(numpy_helper.from_array(np.float32(0), "extra"),))


def endless_loop(contract: str | None) -> bytes:
    keep = numpy_helper.from_array(np.array(True), "keep")
    start = numpy_helper.from_array(np.float32(0), "start")
    count = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    go = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, [])
    on = helper.make_tensor_value_info("on", TensorProto.BOOL, [])
    after = helper.make_tensor_value_info("after", TensorProto.FLOAT, [])
    steps = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["value"], ["after"])]
    body = helper.make_graph(steps, "body", [count, go, value], [on, after])
    loop = helper.make_node("Loop", ["", "keep", "start"], ["extra"], body=body)
    return model(contract, loop, initializers=(keep, start))


def loop_in_an_if(contract: str | None) -> bytes:
    """The same, in a branch."""
    whole = onnx.load_from_string(endless_loop(contract))
    loop = whole.graph.node[0]
    loop.output[0] = "inner"
    out = helper.make_tensor_value_info("inner", TensorProto.FLOAT, [])
    branch = helper.make_graph([loop], "branch", [], [out])
    node = helper.make_node("If", ["keep"], ["extra"], then_branch=branch, else_branch=branch)
    del whole.graph.node[0]
    whole.graph.node.insert(0, node)
    return bytes(whole.SerializeToString())


def endless_scan(contract: str | None) -> bytes:
    whole = onnx.load_from_string(endless_loop(contract))
    whole.graph.node[0].op_type = "Scan"
    return bytes(whole.SerializeToString())


def constant(contract: str | None, elements: int = 1 << 31) -> bytes:
    nodes = (
        helper.make_node("ConstantOfShape", ["sides"], ["many"]),
        helper.make_node("ReduceMax", ["many"], ["extra"], keepdims=0),
    )
    return model(contract, *nodes, initializers=(_number("sides", 1 << 10, elements >> 10),))


def expand(contract: str | None) -> bytes:
    nodes = (
        helper.make_node("Expand", ["one", "sides"], ["many"]),
        helper.make_node("ReduceMax", ["many"], ["extra"], keepdims=0),
    )
    one = numpy_helper.from_array(np.zeros(1, np.float32), "one")
    return model(contract, *nodes, initializers=(one, _number("sides", 1 << 20, 1 << 11)))


def by_input(contract: str | None) -> bytes:
    """A constant whose size is only known when it runs."""
    nodes = (
        helper.make_node("ReduceMax", ["image"], ["high"], keepdims=0),
        helper.make_node("Cast", ["high"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "sides"], ["more"]),
        helper.make_node("ConstantOfShape", ["more"], ["many"]),
        helper.make_node("ReduceMax", ["many"], ["extra"], keepdims=0),
    )
    return model(contract, *nodes, initializers=(_number("sides", 1 << 20, 1 << 11),))


def lying_weights(contract: str | None) -> bytes:
    """Weights that say they have far more values than there are bytes."""
    whole = onnx.load_from_string(plain(contract))
    extra = whole.graph.initializer[1]
    del extra.dims[:]
    extra.dims.extend([1 << 20, 1 << 14])
    return bytes(whole.SerializeToString())


def laughs(contract: str | None, levels: int = 30) -> bytes:
    """Functions each of which calls the next twice."""
    made = []
    for level in range(levels):
        kind, domain = (f"f{level + 1}", "own") if level + 1 < levels else ("Identity", "")
        nodes = [
            helper.make_node(kind, ["x"], ["a"], domain=domain),
            helper.make_node(kind, ["a"], ["y"], domain=domain),
        ]
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
        made.append(helper.make_function("own", f"f{level}", ["x"], ["y"], nodes, opsets))
    start = numpy_helper.from_array(np.float32(0), "start")
    node = helper.make_node("f0", ["start"], ["extra"], domain="own")
    return model(contract, node, initializers=(start,), functions=tuple(made))


def not_utf8(contract: str | None) -> bytes:
    """Metadata of bytes that are no text."""
    found = plain(contract)
    assert found.count(KEY.encode()) == 1
    place = found.find(b"{", found.find(KEY.encode()))
    return found[: place + 2] + b"\xff\xfe" + found[place + 4 :]
