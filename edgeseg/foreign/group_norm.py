"""Group normalisation of an ONNX graph, written so that it is known again.

ONNX Runtime has no kernel for `GroupNormalization` and takes it apart into a dozen operations whose sizes nothing
tells. Instance normalisation of each group laid out as one channel gives the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_KIND = "GroupNormalization"
_PER_CHANNEL = 21
"""The first opset whose scale and bias are one for each channel; before it they are one for each group."""


def spell_out(proto: Any) -> None:
    """Replace every `GroupNormalization` of a graph."""
    from onnx import defs

    graph = proto.graph
    if not any(node.op_type == _KIND for node in graph.node):
        return
    version = max(one.version for one in proto.opset_import if one.domain in ("", defs.ONNX_DOMAIN))
    nodes: list[Any] = []
    for place, node in enumerate(graph.node):
        found = _nodes(graph, node, f"group_norm_{place}", version) if node.op_type == _KIND else [node]
        nodes.extend(type(one).FromString(one.SerializeToString()) for one in found)
    del graph.node[:]
    graph.node.extend(nodes)


def _nodes(graph: Any, node: Any, name: str, version: int) -> list[Any]:
    from onnx import helper, numpy_helper

    given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    groups, (x, scale, bias) = int(given["num_groups"]), node.input
    stored = {
        "apart": np.array([0, groups, -1], np.int64),
        "ones": np.ones(groups, np.float32),
        "zeros": np.zeros(groups, np.float32),
        "channels": np.array([1, -1, 1, 1], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(values, f"{name}.{key}") for key, values in stored.items())
    own = (f"{name}.ones", f"{name}.zeros") if version >= _PER_CHANNEL else (scale, bias)
    epsilon = float(given.get("epsilon", 1e-5))
    result = f"{name}.back" if version >= _PER_CHANNEL else node.output[0]
    made = [
        helper.make_node("Reshape", [x, f"{name}.apart"], [f"{name}.groups"], name=f"{name}.reshape"),
        helper.make_node(
            "InstanceNormalization",
            [f"{name}.groups", *own],
            [f"{name}.normalised"],
            name=node.name or name,
            epsilon=epsilon,
        ),
        helper.make_node("Shape", [x], [f"{name}.shape"]),
        helper.make_node("Reshape", [f"{name}.normalised", f"{name}.shape"], [result]),
    ]
    if version < _PER_CHANNEL:
        return made
    return [
        *made,
        helper.make_node("Reshape", [scale, f"{name}.channels"], [f"{name}.scale"]),
        helper.make_node("Reshape", [bias, f"{name}.channels"], [f"{name}.bias"]),
        helper.make_node("Mul", [result, f"{name}.scale"], [f"{name}.scaled"]),
        helper.make_node("Add", [f"{name}.scaled", f"{name}.bias"], list(node.output)),
    ]
