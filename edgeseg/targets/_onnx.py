"""From a Keras network to a plain ONNX graph: NCHW in and out, batch 1, no batch normalisation, no transposes."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg import __version__
from edgeseg.errors import ArtifactError
from edgeseg.runtime.contract import AUTHOR_KEY, CONTRACT_KEY, LICENCE_KEY
from edgeseg.runtime.seal import reserved_text
from edgeseg.specs import Contract
from edgeseg.targets._keras import INPUT, OUTPUT, inference_function, network, shape_of
from edgeseg.targets._repeated import REACH
from edgeseg.targets._tf2onnx import converted
from edgeseg.targets.graph import GraphNetwork

OPSET, IR_VERSION = 17, 8
UNWANTED = ("Transpose", "BatchNormalization", "Reshape", "Tile")
"""What a graph of plain layers (`Network.plain`) must not hold; other networks may need it."""


def float_graph(model: Any, contract: Contract) -> Any:
    """Convert a network to an ONNX model of `(1, 3, H, W) float32 in [0, 1]` -> `(1, 1, H, W) float32` logits.

    Every value and node is renamed by its place, so that the bytes do not depend on how Keras named its layers; equal
    constants are stored once.

    Raises:
        ArtifactError: when the network needs an operation that the graph must not hold.
    """
    proto, _ = named_graph(model, contract)
    share_equal_constants(proto.graph)
    return proto


def named_graph(
    model: Any, contract: Contract, *, rounded: tuple[str, ...] = (), reach: int = REACH
) -> tuple[Any, dict[str, str]]:
    """Convert as `float_graph`, or copy a `GraphNetwork`; beside it comes the layer of each value whose name tells it.

    A layer is called as its `Step` is. `rounded` and `reach` are those of `network`.
    """
    if isinstance(model, GraphNetwork):
        return model.copy(), dict(model.layers)
    form = network(model, rounded=rounded, reach=reach)
    function: Any = inference_function(form, shape_of(contract))
    proto = converted(function, opset=OPSET, image=INPUT, layer_of=form.step_of)
    _drop_idle_reshapes(proto)
    _fold_bias_adds(proto)
    _plain_resizes(proto)
    _fold_pads(proto)
    drop_unused(proto.graph)
    layers = {new: layer for old, new in rename(proto).items() if (layer := form.step_of(old)) is not None}
    check_graph(proto, UNWANTED if form.plain else ())
    values = {node.output[0] for node in proto.graph.node}
    return proto, {name: layer for name, layer in layers.items() if name in values} | {OUTPUT: form.output.name}


def shapes(proto: Any) -> dict[str, tuple[int, ...]]:
    """Infer the static shape of every value of a graph.

    Raises:
        ArtifactError: when one is not static.
    """
    import onnx

    inferred = onnx.shape_inference.infer_shapes(proto, strict_mode=True).graph
    found = {}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dims = value.type.tensor_type.shape.dim
        if not all(dim.HasField("dim_value") for dim in dims):
            raise ArtifactError(f"the ONNX graph has a dynamic shape at '{value.name}'; every shape must be static")
        found[value.name] = tuple(dim.dim_value for dim in dims)
    return found


def check_graph(proto: Any, unwanted: tuple[str, ...]) -> None:
    """Refuse a graph with dynamic shapes, or with operations that keep it off an accelerator.

    Raises:
        ArtifactError: naming the operation.
    """
    import onnx

    onnx.checker.check_model(proto)
    found = shapes(proto)
    if missing := [name for node in proto.graph.node for name in node.output if name not in found]:
        raise ArtifactError(f"the ONNX graph has no static shape at '{missing[0]}'; every shape must be static")
    for operation in unwanted:
        if count := sum(node.op_type == operation for node in proto.graph.node):
            raise ArtifactError(
                f"the ONNX graph holds {count} x {operation}, which edgeseg's runtimes are spared; "
                "the network uses a layer that does not convert cleanly"
            )


def rename(proto: Any) -> dict[str, str]:
    """Name nodes and values by their place, clear everything that varies from run to run; returns new names by old."""
    graph = proto.graph
    names = {graph.input[0].name: INPUT, graph.output[0].name: OUTPUT}
    constants = {tensor.name for tensor in graph.initializer}
    for index, node in enumerate(graph.node):
        node.name, node.doc_string = f"{index}_{node.op_type}", ""
        for position, name in enumerate(node.input):
            if name in constants:
                names.setdefault(name, f"{index}_{_role(node.op_type, position)}")
        for position, name in enumerate(node.output):
            names.setdefault(name, f"{index}_out" if position == 0 else f"{index}_out{position}")
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for tensor in graph.initializer:
        tensor.name, tensor.doc_string = names[tensor.name], ""
    graph.input[0].name, graph.output[0].name = INPUT, OUTPUT
    order = {name: position for position, name in enumerate(names.values())}
    tensors = sorted(graph.initializer, key=lambda tensor: order[tensor.name])
    _replace(graph.initializer, tensors)
    del graph.value_info[:]
    graph.name, graph.doc_string = "edgeseg", ""
    proto.producer_name, proto.producer_version, proto.doc_string = "edgeseg", __version__, ""
    proto.ir_version = IR_VERSION
    return names


def to_bytes(proto: Any, contract: Contract, extra: dict[str, str] | None = None, *, author: str) -> bytes:
    """Serialise a model with its contract, and other `metadata_props`, inside.

    Author and licence stand under the names that the ONNX specification has for them, where there are any.
    """
    del proto.metadata_props[:]
    rights = {AUTHOR_KEY: author, LICENCE_KEY: contract.licence}
    told = {key: value for key, value in rights.items() if value}
    for key, value in {CONTRACT_KEY: reserved_text(contract), **(extra or {}), **told}.items():
        entry = proto.metadata_props.add()
        entry.key, entry.value = key, value
    return bytes(proto.SerializeToString(deterministic=True))


def set_nodes(graph: Any, nodes: list[Any]) -> None:
    """Replace a graph's nodes, and drop the initializers that are no longer read."""
    _replace(graph.node, nodes)
    drop_unused(graph)


def sort(graph: Any) -> None:
    """Put the nodes in an order that only the graph decides: each as late as what it reads, inputs first."""
    makers = {name: node for node in graph.node for name in node.output}
    done: set[str] = set()
    order: list[Any] = []
    stack = [makers[graph.output[0].name]]
    while stack:
        node = stack[-1]
        waiting = [makers[name] for name in node.input if name in makers and name not in done]
        if waiting:
            stack.append(waiting[0])
            continue
        stack.pop()
        if node.output[0] not in done:
            done.update(node.output)
            order.append(node)
    set_nodes(graph, order)


def share_equal_constants(graph: Any) -> None:
    """Store equal initializers once: scales, zero points, and weights that a recurrent network uses at every step."""
    first: dict[bytes, str] = {}
    same: dict[str, str] = {}
    for tensor in graph.initializer:
        nameless = type(tensor).FromString(tensor.SerializeToString())
        nameless.ClearField("name")
        same[tensor.name] = first.setdefault(nameless.SerializeToString(deterministic=True), tensor.name)
    for node in graph.node:
        node.input[:] = [same.get(name, name) for name in node.input]
    drop_unused(graph)


def constant(proto: Any, name: str) -> Any:
    """Return an initializer as a numpy array, or None when the name is not one."""
    import onnx

    for tensor in proto.graph.initializer:
        if tensor.name == name:
            return onnx.numpy_helper.to_array(tensor)
    return None


def _role(operation: str, position: int) -> str:
    roles = {"Conv": ("in", "weight", "bias"), "ConvTranspose": ("in", "weight", "bias")}
    return roles.get(operation, ())[position] if operation in roles else f"constant{position}"


def _drop_idle_reshapes(proto: Any) -> None:
    shape = shapes(proto)
    for node in [n for n in proto.graph.node if n.op_type == "Reshape"]:
        if node.input[0] in shape and shape[node.input[0]] == shape.get(node.output[0]):
            _bypass(proto.graph, node)


def _fold_bias_adds(proto: Any) -> None:
    import onnx

    graph = proto.graph
    makers = {node.output[0]: node for node in graph.node}
    for add in [n for n in graph.node if n.op_type == "Add"]:
        for source, other in ((add.input[0], add.input[1]), (add.input[1], add.input[0])):
            conv, bias = makers.get(source), constant(proto, other)
            if conv is None or bias is None or not _takes_bias(graph, conv, bias):
                continue
            name = f"{add.name}_bias"
            channels = _channels(proto, conv)
            value = np.broadcast_to(bias.reshape(-1), (channels,)).astype(np.float32)
            graph.initializer.append(onnx.numpy_helper.from_array(value, name))
            conv.input.append(name)
            _bypass(graph, add)
            break


def _takes_bias(graph: Any, conv: Any, bias: Any) -> bool:
    per_channel = bias.size == 1 or (bias.ndim >= 3 and bias.size == bias.shape[-3])
    readers = sum(conv.output[0] in node.input for node in graph.node)
    return conv.op_type in ("Conv", "ConvTranspose") and len(conv.input) == 2 and readers == 1 and per_channel


def _channels(proto: Any, conv: Any) -> int:
    weight = constant(proto, conv.input[1])
    return int(weight.shape[0 if conv.op_type == "Conv" else 1])


def _plain_resizes(proto: Any) -> None:
    """Write nearest-neighbour enlargement by whole factors in the form of the current opset."""
    import onnx

    for node in proto.graph.node:
        modes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type != "Resize" or modes.get("mode") != b"nearest":
            continue
        scales = constant(proto, node.input[2])
        if scales is not None and np.array_equal(scales, np.round(scales)):
            del node.attribute[:]
            plain = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
            node.attribute.extend(onnx.helper.make_attribute(key, value) for key, value in plain.items())
            node.input[1] = ""


def _fold_pads(proto: Any) -> None:
    """Let a convolution do the padding of zeros in front of it, where nobody else reads what is padded."""
    from onnx import helper

    graph = proto.graph
    for pad in [n for n in graph.node if n.op_type == "Pad"]:
        readers = [node for node in graph.node if pad.output[0] in node.input]
        around, value = constant(proto, pad.input[1]), constant(proto, pad.input[2]) if len(pad.input) > 2 else None
        modes = {a.name: helper.get_attribute_value(a) for a in pad.attribute}
        zeros = modes.get("mode", b"constant") == b"constant" and (value is None or not value.any())
        if len(readers) != 1 or readers[0].op_type != "Conv" or around is None or not zeros:
            continue
        conv, (top, left, bottom, right) = readers[0], around.reshape(2, -1)[:, 2:].reshape(-1).tolist()
        given = {a.name: helper.get_attribute_value(a) for a in conv.attribute}
        if around.reshape(2, -1)[:, :2].any() or around.min() < 0 or given.get("auto_pad", b"NOTSET")[:4] == b"SAME":
            continue
        own = given.get("pads", [0, 0, 0, 0])
        given |= {"pads": [int(a + b) for a, b in zip(own, (top, left, bottom, right), strict=True)]}
        given.pop("auto_pad", None)
        del conv.attribute[:]
        conv.attribute.extend(helper.make_attribute(key, value) for key, value in given.items())
        _bypass(graph, pad)


def _bypass(graph: Any, node: Any) -> None:
    """Remove a node that passes its first input on unchanged, keeping the name of a graph output."""
    source, result = node.input[0], node.output[0]
    if result == graph.output[0].name:
        maker = next(n for n in graph.node if source in n.output)
        maker.output[list(maker.output).index(source)] = result
        kept, gone = result, source
    else:
        kept, gone = source, result
    for other in graph.node:
        other.input[:] = [kept if name == gone else name for name in other.input]
    graph.node.remove(node)


def drop_unused(graph: Any) -> None:
    """Remove the initializers that no node reads."""
    used = {name for node in graph.node for name in node.input}
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])


def _replace(field: Any, items: list[Any]) -> None:
    copies = [type(item).FromString(item.SerializeToString()) for item in items]
    del field[:]
    field.extend(copies)
