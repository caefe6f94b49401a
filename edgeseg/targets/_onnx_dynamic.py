"""A float ONNX graph whose convolutions multiply uint8 codes of ranges that are measured while it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError
from edgeseg.targets import _onnx, _onnx_int8

MIDDLE, REACH = 128, 127
"""The code of a weight of zero, and the codes to either side of it."""


def dynamic(proto: Any, layers: dict[str, str], *, plain: bool) -> Any:
    """Quantize the convolutions of a float graph of `_onnx.named_graph`.

    ONNX Runtime's own dynamic quantizer gives a kernel one scale for all its channels and writes each bias as a
    Reshape; here a kernel has one scale per output channel, applied after the sums, and nothing is reshaped. Weights
    are uint8 with zero at 128: ConvInteger is ten times slower with int8 weights, and sums of uint8 by uint8 saturate
    on no processor. Transposed convolutions become 1 x 1 ones (`_onnx_int8.transposed_to_depth_to_space`).

    Args:
        proto: the float graph; it is changed.
        layers: the layer that gives each value.
        plain: whether the network is (`Network.plain`); others may keep transposed convolutions in float.

    Raises:
        ArtifactError: when a convolution of a plain network stays in float.
    """
    _onnx_int8.transposed_to_depth_to_space(proto, layers)
    nodes: list[Any] = []
    measured: dict[str, tuple[str, str, str]] = {}
    for node in proto.graph.node:
        if plain and node.op_type == "ConvTranspose":
            raise ArtifactError(f"{node.op_type} '{node.name}' would run in float in the dynamic graph")
        nodes.extend(_integer(proto, node, measured) if node.op_type == "Conv" else [node])
    _onnx.set_nodes(proto.graph, nodes)
    _onnx.share_equal_constants(proto.graph)
    _onnx.rename(proto)
    _onnx.check_graph(proto, _onnx.UNWANTED if plain else ())
    return proto


def _integer(proto: Any, conv: Any, measured: dict[str, tuple[str, str, str]]) -> list[Any]:
    """Write one convolution in integers: `bias + scale_x scale_w sum((x - zero_x) (w - 128))`."""
    from onnx import TensorProto, helper

    name, source = conv.name, conv.input[0]
    codes, scales = _codes(_onnx.constant(proto, conv.input[1]))
    constants = {"codes": codes, "middle": np.uint8(MIDDLE), "scales": scales.reshape(1, -1, 1, 1)}
    if len(conv.input) == 3:
        constants["offset"] = _onnx.constant(proto, conv.input[2]).reshape(1, -1, 1, 1)
    place = {key: _add(proto, f"{name}_{key}", value) for key, value in constants.items()}
    made = []
    if source not in measured:
        measured[source] = (f"{name}_x", f"{name}_x_scale", f"{name}_x_zero")
        made.append(helper.make_node("DynamicQuantizeLinear", [source], measured[source]))
    x, x_scale, x_zero = measured[source]
    sums = helper.make_node("ConvInteger", [x, place["codes"], x_zero, place["middle"]], [f"{name}_sums"])
    sums.attribute.extend(conv.attribute)
    result = f"{name}_scaled" if "offset" in place else conv.output[0]
    made += [
        sums,
        helper.make_node("Cast", [f"{name}_sums"], [f"{name}_cast"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [x_scale, place["scales"]], [f"{name}_scale"]),
        helper.make_node("Mul", [f"{name}_cast", f"{name}_scale"], [result]),
    ]
    if "offset" in place:
        made.append(helper.make_node("Add", [result, place["offset"]], conv.output))
    return made


def _codes(weight: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Quantize a kernel `(O, I, h, w) float32` to uint8 around 128, with a scale for each of the O channels."""
    largest = np.abs(weight).max(axis=(1, 2, 3))
    scales = np.where(largest > 0, largest / REACH, 1.0).astype(np.float32)
    codes = np.rint(weight / scales.reshape(-1, 1, 1, 1)) + MIDDLE
    return codes.astype(np.uint8), scales


def _add(proto: Any, name: str, value: Any) -> str:
    from onnx import numpy_helper

    proto.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name
