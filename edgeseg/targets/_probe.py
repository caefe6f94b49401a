"""Write the probe that `edgeseg.runtime.numerics` runs: `python -m edgeseg.targets._probe`.

The file is committed; a test holds it equal, byte for byte, to what this module writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgeseg import runtime
from edgeseg.artifacts import write_bytes
from edgeseg.runtime import numerics
from edgeseg.runtime.numerics import PROBE_CONVS, PROBE_FILE, PROBE_SIDE_PX, ProbeConv

OPSET, IR_VERSION = 17, 8


def probe_bytes() -> bytes:
    """Return the probe as a serialised ONNX model: one unconnected QDQ convolution per entry of `PROBE_CONVS`."""
    from onnx import TensorProto, helper

    nodes: list[Any] = []
    initialisers: list[Any] = []
    inputs, outputs = [], []
    for conv in PROBE_CONVS:
        shape_in = [1, conv.channels_in, PROBE_SIDE_PX, PROBE_SIDE_PX]
        side = (PROBE_SIDE_PX - conv.kernel) // conv.stride + 1
        inputs.append(helper.make_tensor_value_info(f"{conv.name}_input", TensorProto.FLOAT, shape_in))
        outputs.append(helper.make_tensor_value_info(conv.name, TensorProto.FLOAT, [1, conv.channels_out, side, side]))
        initialisers += _initialisers(conv)
        nodes += _nodes(conv)
    graph = helper.make_graph(nodes, "edgeseg_int8_probe", inputs, outputs, initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    return bytes(model.SerializeToString(deterministic=True))


def main() -> None:
    """Write the probe into the runtime's package data."""
    write_bytes(Path(runtime.__file__).with_name(PROBE_FILE), probe_bytes())


def _initialisers(conv: ProbeConv) -> list[Any]:
    from onnx import numpy_helper

    scales = numerics.probe_weight_scales(conv)
    arrays = {
        "input_scale": np.float32(numerics.INPUT_SCALE),
        "input_zero_point": np.int8(numerics.INPUT_ZERO_POINT),
        "weight": numerics.probe_weights(conv),
        "weight_scale": scales,
        "weight_zero_point": np.zeros(conv.channels_out, np.int8),
        "bias": numerics.probe_bias(conv),
        "bias_scale": np.float32(numerics.INPUT_SCALE) * scales,
        "bias_zero_point": np.zeros(conv.channels_out, np.int32),
        "output_scale": np.float32(conv.output_scale),
        "output_zero_point": np.int8(numerics.OUTPUT_ZERO_POINT),
    }
    return [numpy_helper.from_array(np.asarray(array), f"{conv.name}_{name}") for name, array in arrays.items()]


def _nodes(conv: ProbeConv) -> list[Any]:
    from onnx import helper

    def quantisation(kind: str, source: str, end: str, result: str, **attributes: int) -> Any:
        names = [f"{conv.name}_{source}", f"{conv.name}_{end}_scale", f"{conv.name}_{end}_zero_point"]
        return helper.make_node(kind, names, [result], **attributes)

    name = conv.name
    return [
        quantisation("QuantizeLinear", "input", "input", f"{name}_input_levels"),
        quantisation("DequantizeLinear", "input_levels", "input", f"{name}_input_real"),
        quantisation("DequantizeLinear", "weight", "weight", f"{name}_weight_real", axis=0),
        quantisation("DequantizeLinear", "bias", "bias", f"{name}_bias_real", axis=0),
        helper.make_node(
            "Conv",
            [f"{name}_input_real", f"{name}_weight_real", f"{name}_bias_real"],
            [f"{name}_output"],
            kernel_shape=[conv.kernel, conv.kernel],
            strides=[conv.stride, conv.stride],
        ),
        quantisation("QuantizeLinear", "output", "output", f"{name}_output_levels"),
        quantisation("DequantizeLinear", "output_levels", "output", name),
    ]


if __name__ == "__main__":
    main()
