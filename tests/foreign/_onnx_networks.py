"""Small ONNX networks that become networks of Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.foreign._keras_networks import SIDE


def convolution(path: Path) -> Path:
    """A convolution and a sigmoid, `(1, 3, 32, 32)` to `(1, 1, 32, 32)`."""
    kernel = np.random.default_rng(0).normal(size=(1, 3, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["z"], pads=[1] * 4, name="conv"),
            helper.make_node("Sigmoid", ["z"], ["y"], name="end"),
        ],
        "drawn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, SIDE, SIDE])],
        [numpy_helper.from_array(kernel, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path
