"""ONNX files: what is read, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgeseg.errors import ArtifactError, OptionError
from edgeseg.foreign import keras_network, read_onnx_graph

KERNEL = np.random.default_rng(0).normal(size=(1, 3, 3, 3)).astype(np.float32)


def _model(image: list[Any], nodes: list[Any] | None = None, *, kernel: Any = KERNEL, inputs: int = 1) -> Any:
    nodes = nodes or [helper.make_node("Conv", ["x0", "w"], ["y"], pads=[1] * 4)]
    graph = helper.make_graph(
        nodes,
        "one",
        [helper.make_tensor_value_info(f"x{i}", TensorProto.FLOAT, image) for i in range(inputs)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _saved(model: Any, path: Path) -> Path:
    onnx.save(model, str(path))
    return path


def test_open_sides_take_the_size_that_is_given(tmp_path: Path) -> None:
    path = _saved(_model(["n", 3, "h", "w"]), tmp_path / "open.onnx")
    with pytest.raises(OptionError, match="--size"):
        read_onnx_graph(path)
    with pytest.raises(OptionError, match="takes images of 8 x 16"):
        read_onnx_graph(_saved(_model([1, 3, 8, 16]), tmp_path / "fixed.onnx"), size=(16, 8))
    graph = read_onnx_graph(path, size=(24, 32))
    assert graph.shapes[graph.image] == (1, 3, 24, 32)
    assert keras_network(graph).output_shape == (None, 24, 32, 1)


def test_an_image_whose_channels_come_last_is_known(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Transpose", ["x0"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["t", "w"], ["c"], pads=[1] * 4),
        helper.make_node("Transpose", ["c"], ["y"], perm=[0, 2, 3, 1]),
    ]
    graph = read_onnx_graph(_saved(_model([1, 16, 16, 3], nodes), tmp_path / "last.onnx"))
    model = keras_network(graph)
    assert graph.channels_last
    assert model.output_shape == (None, 16, 16, 1)
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Conv2D"]


def test_weights_in_float16_are_widened(tmp_path: Path) -> None:
    path = _saved(_model([1, 3, 8, 8], kernel=KERNEL.astype(np.float16)), tmp_path / "half.onnx")
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    graph = read_onnx_graph(_saved(model, path))
    assert {str(values.dtype) for values in graph.constants.values()} == {"float32"}


def test_weights_beside_the_graph_are_read(tmp_path: Path) -> None:
    path = tmp_path / "apart.onnx"
    onnx.save(_model([1, 3, 8, 8]), str(path), save_as_external_data=True, location="apart.bin", size_threshold=0)
    assert read_onnx_graph(path).constants
    (tmp_path / "apart.bin").unlink()
    with pytest.raises(ArtifactError, match=r"apart\.bin"):
        read_onnx_graph(path)


@pytest.mark.parametrize(
    ("image", "inputs", "said"),
    [
        ([1, 3, 8, 8, 8], 1, "a volume"),
        ([1, 10], 1, "four axes"),
        ([1, 3, 8, 8], 2, "2 inputs"),
        ([1, 300, 8, 8000], 1, "cannot be told"),
    ],
)
def test_what_is_no_network_of_one_image_is_refused(image: list[int], inputs: int, said: str, tmp_path: Path) -> None:
    nodes = [helper.make_node("Identity", ["x0"], ["y"])]
    with pytest.raises(ArtifactError, match=said):
        read_onnx_graph(_saved(_model(image, nodes, inputs=inputs), tmp_path / "odd.onnx"))


def test_a_quantized_file_is_refused_with_the_way_on(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("QuantizeLinear", ["x0", "s"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s"], ["y"]),
    ]
    model = _model([1, 3, 8, 8], nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.float32(0.1).reshape(()), "s"))
    with pytest.raises(ArtifactError, match="quantized already"):
        read_onnx_graph(_saved(model, tmp_path / "q.onnx"))


def test_a_network_in_float64_is_refused_before_a_runtime_calls_it_damaged(tmp_path: Path) -> None:
    model = _model([1, 3, 8, 8], kernel=KERNEL.astype(np.float64))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    with pytest.raises(ArtifactError, match="float64"):
        read_onnx_graph(_saved(model, tmp_path / "double.onnx"))


def test_a_network_in_bfloat16_and_one_that_was_exported_as_it_trains_are_refused(tmp_path: Path) -> None:
    coarse = _model([1, 3, 8, 8])
    coarse.graph.input[0].type.tensor_type.elem_type = TensorProto.BFLOAT16
    with pytest.raises(ArtifactError, match=r"bfloat16, .*; export it in float32"):
        read_onnx_graph(_saved(coarse, tmp_path / "coarse.onnx"))
    inputs = ["x0", *(["s"] * 4)]
    trains = _model([1, 3, 8, 8], [helper.make_node("BatchNormalization", inputs, ["y", "m", "v"], training_mode=1)])
    trains.graph.initializer.append(numpy_helper.from_array(np.ones(3, np.float32), "s"))
    with pytest.raises(ArtifactError, match=r"as it trains.*; export it as it is used"):
        read_onnx_graph(_saved(trains, tmp_path / "trains.onnx"))


def test_control_flow_is_refused(tmp_path: Path) -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["x0"], ["b"])],
        "b",
        [],
        [helper.make_tensor_value_info("b", TensorProto.FLOAT, None)],
    )
    nodes = [
        helper.make_node("ReduceMax", ["x0"], ["m"], keepdims=0),
        helper.make_node("Cast", ["m"], ["k"], to=TensorProto.BOOL),
        helper.make_node("If", ["k"], ["y"], then_branch=branch, else_branch=branch),
    ]
    with pytest.raises(ArtifactError, match="control flow"):
        read_onnx_graph(_saved(_model([1, 3, 8, 8], nodes), tmp_path / "if.onnx"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = _saved(_model([1, 3, 8, 8]), tmp_path / "cut.onnx")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ArtifactError, match=r"cut\.onnx"):
        read_onnx_graph(path)


@pytest.mark.parametrize(
    ("image", "kind", "said"),
    [
        ([1, 3, 16, 16], TensorProto.INT64, "x0 of int64"),
        (["batch", "tokens"], TensorProto.INT64, "x0 of int64, and an image is of float32 or uint8"),
    ],
    ids=["integers", "language model"],
)
def test_an_image_of_integers_is_refused(image: list[Any], kind: int, said: str, tmp_path: Path) -> None:
    model = _model(image)
    model.graph.input[0].type.tensor_type.elem_type = kind
    with pytest.raises(ArtifactError, match=said):
        read_onnx_graph(_saved(model, tmp_path / "net.onnx"))


def test_messages_name_the_file_that_the_user_has(tmp_path: Path) -> None:
    scratch = _saved(_model([1, 3, "h", "w"]), tmp_path / "scratch.onnx")
    with pytest.raises(OptionError, match=r"^theirs: leaves the height"):
        read_onnx_graph(scratch, shown=Path("theirs"))


def test_a_protocol_buffer_of_another_kind_has_no_operation(tmp_path: Path) -> None:
    model = _model([1, 3, 16, 16])
    del model.graph.node[:]
    with pytest.raises(ArtifactError, match="holds no operation of ONNX"):
        read_onnx_graph(_saved(model, tmp_path / "net.onnx"))
