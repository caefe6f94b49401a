"""Small networks that hold what Keras has no layer for here, drawn from a seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, save

SIDE, WIDTH = 16, 4
node = helper.make_node
Nodes = tuple[list[Any], dict[str, NDArray[Any]]]


def trunk(channels: int) -> Nodes:
    """`x` to `z`, `(1, channels, SIDE, SIDE)`; values above a limit are kept whole, others are shrunk."""
    draw = np.random.default_rng(3)

    def kernel(*shape: int) -> NDArray[np.float32]:
        return (draw.normal(size=shape) * 0.4).astype(np.float32)

    stored: dict[str, NDArray[Any]] = {
        "w1": kernel(WIDTH, 3, 3, 3),
        "b1": kernel(WIDTH),
        "gamma": 1 + kernel(WIDTH),
        "beta": kernel(WIDTH),
        "mean": kernel(WIDTH),
        "var": np.square(kernel(WIDTH)) + np.float32(0.5),
        "limit": np.array(0.1, np.float32),
        "shrunk": np.array(0.3, np.float32),
        "w2": kernel(channels, WIDTH, 3, 3),
        "b2": kernel(channels),
    }
    nodes = [
        node("Conv", ["x", "w1", "b1"], ["a"], pads=[1] * 4, name="/first/Conv"),
        node("Relu", ["a"], ["r"], name="/first/Relu"),
        node("BatchNormalization", ["r", "gamma", "beta", "mean", "var"], ["n"], name="/first/Norm"),
        node("Greater", ["n", "limit"], ["m"], name="/gate/Greater"),
        node("Mul", ["n", "shrunk"], ["s"], name="/gate/Mul"),
        node("Where", ["m", "n", "s"], ["g"], name="/gate/Where"),
        node("Conv", ["g", "w2", "b2"], ["z"], pads=[1] * 4, name="/last/Conv"),
    ]
    return nodes, stored


def gated(
    path: Path,
    *end: Any,
    channels: int = 1,
    image: tuple[Any, ...] = (1, 3, SIDE, SIDE),
    start: tuple[Any, ...] = (),
    opset: int = 17,
    apart: bool = False,
    **more: NDArray[Any],
) -> Path:
    """Write the network with `start` before its trunk, from `image` to `x`, and `end` behind it, from `z` to `y`."""
    nodes, stored = trunk(channels)
    if not end:
        end = (node("Sigmoid", ["z"], ["y"]),)
    graph = helper.make_graph(
        [*start, *nodes, *end],
        "drawn",
        [helper.make_tensor_value_info("image" if start else "x", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in {**stored, **more}.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    save(model, str(path), save_as_external_data=apart, location="apart.bin", size_threshold=64)
    return path


def whole(*values: int) -> NDArray[np.int64]:
    """Stored whole numbers, such as a shape."""
    return np.array(values, np.int64)
