"""Every operation, against ONNX Runtime."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnxruntime as ort
import pytest

from edgeseg.errors import OperationError
from edgeseg.foreign import keras_network, read_onnx_graph
from edgeseg.foreign.head import one_logit
from edgeseg.foreign.head_rules import HeadWish
from tests.foreign.onnx_keras._drawn import DRAWINGS, Drawing, node, weights, write


@pytest.mark.parametrize("name", DRAWINGS)
def test_an_operation_gives_what_onnx_runtime_gives(name: str, tmp_path: Path) -> None:
    path = write(DRAWINGS[name](), tmp_path / "drawn.onnx")
    graph = read_onnx_graph(path)
    image = np.random.default_rng(0).normal(size=graph.shapes[graph.image]).astype(np.float32)
    (wanted,) = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": image})
    found = np.asarray(keras_network(graph)(image.transpose(0, 2, 3, 1))).transpose(0, 3, 1, 2)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=2e-5 * max(1.0, np.abs(wanted).max()))


@pytest.mark.parametrize(
    ("name", "layer"), [("group-norm", "GroupNormalization"), ("gelu", "Activation"), ("silu", "Activation")]
)
def test_several_nodes_that_are_one_layer_become_one(name: str, layer: str, tmp_path: Path) -> None:
    model = keras_network(read_onnx_graph(write(DRAWINGS[name](), tmp_path / "drawn.onnx")))
    assert type(model.layers[-1]).__name__ == layer


def test_layers_are_named_as_the_nodes_are(tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w"], ["y"], name="/encoder/block 0/Conv")]
    model = keras_network(
        read_onnx_graph(write((nodes, {"w": weights(2, 3, 1, 1)}, (1, 3, 8, 8)), tmp_path / "d.onnx"))
    )
    assert model.layers[-1].name == "encoder.block.0.Conv"


def test_what_cannot_be_converted_is_named(tmp_path: Path) -> None:
    drawn: Drawing = ([node("Cos", ["x"], ["c"]), node("Sin", ["c"], ["y"])], {}, (1, 3, 8, 8))
    with pytest.raises(OperationError, match=r"Cos \(1\), Sin \(1\)"):
        keras_network(read_onnx_graph(write(drawn, tmp_path / "drawn.onnx")))


def test_an_operation_that_does_not_fit_is_named(tmp_path: Path) -> None:
    drawn: Drawing = ([node("Resize", ["x", "", "s"], ["y"], mode="cubic", name="up")], {}, (1, 3, 8, 8))
    drawn[1]["s"] = np.array([1, 1, 2, 2], np.float32)
    with pytest.raises(OperationError, match="Resize 'up', which resizes by cubic interpolation"):
        keras_network(read_onnx_graph(write(drawn, tmp_path / "drawn.onnx")))


def test_the_logarithm_of_a_softmax_at_the_end_is_cut_off(tmp_path: Path) -> None:
    nodes = [node("Conv", ["x", "w"], ["z"]), node("LogSoftmax", ["z"], ["y"], axis=1)]
    file = write((nodes, {"w": weights(2, 3, 1, 1)}, (1, 3, 8, 8)), tmp_path / "drawn.onnx")
    model = keras_network(read_onnx_graph(file))
    head = one_logit(model.output, model.inputs[0], file, HeadWish())
    assert (head.kind, head.masks.foreground, len(head.notes)) == ("logits", (1,), 3)
    logits = keras.Model(model.inputs[0], head.logits)
    assert [type(layer).__name__ for layer in logits.layers] == ["InputLayer", "Conv2D"]
    image = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    values = np.asarray(model(image))
    np.testing.assert_allclose(np.asarray(logits(image))[..., 0], values[..., 1] - values[..., 0], atol=1e-5)


def test_a_softmax_between_transpositions_of_any_order_is_cut_off(tmp_path: Path) -> None:
    turned = [3, 2, 1]
    nodes = [
        node("Conv", ["x", "w"], ["z"]),
        node("Transpose", ["z"], ["t"], perm=[0, *turned]),
        node("Softmax", ["t"], ["p"], axis=3),
        node("Transpose", ["p"], ["y"], perm=[0, *turned]),
    ]
    file = write((nodes, {"w": weights(2, 3, 1, 1)}, (1, 3, 8, 8)), tmp_path / "drawn.onnx", opset=9)
    model = keras_network(read_onnx_graph(file))
    head = one_logit(model.output, model.inputs[0], file, HeadWish())
    assert (head.kind, head.masks.foreground) == ("softmax", (1,))
    assert len(keras.Model(model.inputs[0], head.logits).layers) == 2


@pytest.mark.parametrize(("opset", "scales"), [(18, 4), (21, 8)])
def test_a_group_normalisation_that_onnx_runtime_takes_apart_is_one_layer(
    opset: int, scales: int, tmp_path: Path
) -> None:
    nodes = [node("Conv", ["x", "w"], ["c"]), node("GroupNormalization", ["c", "a", "b"], ["y"], num_groups=4)]
    stored = {"w": weights(8, 3, 1, 1), "a": weights(scales), "b": weights(scales)}
    path = write((nodes, stored, (1, 3, 8, 8)), tmp_path / "drawn.onnx", opset=opset)
    model = keras_network(read_onnx_graph(path))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Conv2D", "GroupNormalization"]
    image = np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype(np.float32)
    (wanted,) = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": image})
    np.testing.assert_allclose(np.asarray(model(image.transpose(0, 2, 3, 1))), wanted.transpose(0, 2, 3, 1), atol=1e-4)
