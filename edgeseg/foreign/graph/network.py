"""From a graph with its new end to a network that the targets for ONNX Runtime are made from."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgeseg.errors import ArtifactError, one_line
from edgeseg.foreign.graph.draft import Draft
from edgeseg.foreign.onnx_keras import fitting_name
from edgeseg.targets import _onnx
from edgeseg.targets.graph import GraphNetwork


def graph_network(draft: Draft, logits: str, why: str) -> GraphNetwork:
    """Make a network of a draft, which is used up.

    The image becomes `(1, C, H, W) float32` whatever the file takes; a batch normalisation that follows no convolution
    becomes a depthwise one of 1 x 1, which has an integer kernel.

    Args:
        draft: the graph.
        logits: the name of the value, `(1, 1, H, W)`, one logit for each pixel; `(1, K, H, W)` of several masks.
        why: why it is no Keras network.

    Raises:
        ArtifactError: when the graph is none that ONNX's checker lets pass.
    """
    from onnx import TensorProto, helper

    graph = draft.proto.graph
    _plain_image(draft)
    _fold_normalisations(draft)
    if logits in (draft.image, *draft.constants):
        raise ArtifactError(f"{draft.path}: its output is its input or a stored value; the file is no network")
    del graph.output[:], graph.value_info[:]
    graph.output.append(helper.make_tensor_value_info(logits, TensorProto.FLOAT, draft.shapes[logits]))
    _onnx.sort(graph)
    taken: set[str] = set()
    floats = [
        (value, fitting_name(node.name or value, node.op_type, taken))
        for node in graph.node
        for value in node.output
        if draft.kinds.get(value) == TensorProto.FLOAT
    ]
    renamed = _onnx.rename(draft.proto)
    draft.proto.ir_version = max(_onnx.IR_VERSION, helper.find_min_ir_version_for(draft.proto.opset_import, True))
    try:
        _onnx.check_graph(draft.proto, ())
    except ArtifactError:
        raise
    except Exception as error:
        raise ArtifactError(
            f"{draft.path}: ONNX's checker refuses its graph ({one_line(error)}); export it again"
        ) from error
    return GraphNetwork(proto=draft.proto, layers={renamed[old]: layer for old, layer in floats}, why=why)


def _plain_image(draft: Draft) -> None:
    """Take `(1, C, H, W) float32` where the file takes bytes, or its channels last."""
    from onnx import TensorProto, helper

    if not (draft.channels_last or draft.bytes_in):
        return
    graph, (height, width), old = draft.proto.graph, draft.size, draft.image
    inner = f"{old}_inner"
    for node in graph.node:
        node.input[:] = [inner if name == old else name for name in node.input]
    del graph.input[:]
    graph.input.append(helper.make_tensor_value_info(old, TensorProto.FLOAT, [1, draft.channels, height, width]))
    draft.shapes[old], draft.kinds[old] = (1, draft.channels, height, width), TensorProto.FLOAT
    here = draft.transposed(old, (0, 2, 3, 1), "image_channels_last") if draft.channels_last else old
    if draft.bytes_in:
        shape = draft.shapes[here]
        here = draft.add("Cast", [here], shape, "image_bytes", to=TensorProto.UINT8)
        draft.kinds[here] = TensorProto.UINT8
    last = draft.maker(here)
    last.output[0] = inner
    draft.kinds[inner], draft.shapes[inner] = draft.kinds.pop(here), draft.shapes.pop(here)


def _fold_normalisations(draft: Draft) -> None:
    for node in [node for node in draft.proto.graph.node if node.op_type == "BatchNormalization"]:
        stored = [draft.constants.get(name) for name in node.input[1:5]]
        if len(draft.shapes[node.output[0]]) != 4 or any(values is None for values in stored):
            continue
        gamma, beta, mean, variance = (np.asarray(values, np.float64) for values in stored)
        scale = gamma / np.sqrt(variance + draft.attributes(node).get("epsilon", 1e-5))
        made = ((scale.reshape(-1, 1, 1, 1), "kernel"), (beta - mean * scale, "offset"))
        inputs = [draft.store(values.astype(np.float32), f"{node.output[0]}_{role}") for values, role in made]
        _become(node, [node.input[0], *inputs], group=len(gamma))


def _become(node: Any, inputs: list[str], *, group: int) -> None:
    """Turn a node into a 1 x 1 convolution in groups; its name and its result stay."""
    from onnx import helper

    result, name = node.output[0], node.name
    node.CopyFrom(helper.make_node("Conv", inputs, [result], name=name, kernel_shape=[1, 1], group=group))
