"""Networks that stay ONNX graphs: their ends, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from edgeseg.errors import ArtifactError, ContractError, OptionError
from edgeseg.foreign import ForeignContract, ForeignNetwork, complete, open_original, read_network
from edgeseg.specs import VariantSpec
from edgeseg.targets import float_predictor
from edgeseg.targets.graph import GraphNetwork
from tests.foreign.graph._gated import SIDE, gated, node, whole

VARIANT = VariantSpec(name="theirs", alpha=1.0, stem="full")
SLICES: NDArray[np.uint8] = np.random.default_rng(5).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)


def read(path: Path, **options: Any) -> ForeignNetwork:
    given = ForeignContract(**options)
    return read_network(path, given, VARIANT, size=None, output=None)


def held_against_its_file(network: ForeignNetwork, path: Path) -> float:
    """The largest difference of the logits to what the file itself gives."""
    assert isinstance(network.model, GraphNetwork)
    original = open_original(path, network.record, network.record.contract)
    ours = float_predictor(network.model, network.record.contract)
    return float(np.abs(ours.logits(SLICES) - original.logits(SLICES)).max())


ENDS: dict[str, tuple[tuple[Any, ...], dict[str, Any], dict[str, Any], str, tuple[int, ...]]] = {
    "sigmoid": ((node("Sigmoid", ["z"], ["y"]),), {}, {}, "sigmoid", (0,)),
    "logits": ((node("Identity", ["z"], ["y"]),), {}, {}, "logits", (0,)),
    "two classes": ((node("Softmax", ["z"], ["y"], axis=1),), {"channels": 2}, {}, "softmax", (1,)),
    "three classes": (
        (node("Softmax", ["z"], ["y"], axis=1),),
        {"channels": 3},
        {"foreground": (1, 2)},
        "softmax",
        (1, 2),
    ),
    "several sigmoids": ((node("Sigmoid", ["z"], ["y"]),), {"channels": 3}, {"foreground": (0, 2)}, "sigmoid", (0, 2)),
    "softmax behind a transposition": (
        (
            node("Transpose", ["z"], ["t"], perm=[0, 2, 3, 1]),
            node("Softmax", ["t"], ["p"], axis=-1),
            node("Transpose", ["p"], ["y"], perm=[0, 3, 1, 2]),
        ),
        {"channels": 2},
        {},
        "softmax",
        (1,),
    ),
    "list of pixels": (
        (
            node("Transpose", ["z"], ["t"], perm=[0, 2, 3, 1]),
            node("Reshape", ["t", "list"], ["l"]),
            node("Softmax", ["l"], ["y"], axis=2),
        ),
        {"channels": 2, "list": whole(1, SIDE * SIDE, 2)},
        {},
        "softmax",
        (1,),
    ),
    "log-softmax": ((node("LogSoftmax", ["z"], ["y"], axis=1),), {"channels": 2}, {}, "logits", (1,)),
    "one map": (
        (node("Sigmoid", ["z"], ["p"]), node("Squeeze", ["p", "axis"], ["y"])),
        {"axis": whole(1)},
        {},
        "sigmoid",
        (0,),
    ),
    "smaller map": (
        (node("MaxPool", ["z"], ["p"], kernel_shape=[4, 4], strides=[4, 4]), node("Sigmoid", ["p"], ["y"])),
        {},
        {},
        "sigmoid",
        (0,),
    ),
    "sigmoid resized": (
        (
            node("MaxPool", ["z"], ["q"], kernel_shape=[2, 2], strides=[2, 2]),
            node("Sigmoid", ["q"], ["p"]),
            node("Resize", ["p", "", "twice"], ["y"], mode="linear"),
        ),
        {"twice": np.array([1, 1, 2, 2], np.float32)},
        {},
        "probabilities",
        (0,),
    ),
    "mean of a sigmoid and a shifted tanh": (
        (
            node("Sigmoid", ["z"], ["p"]),
            node("Tanh", ["z"], ["t"]),
            node("Add", ["t", "one"], ["moved"]),
            node("Mul", ["moved", "half"], ["q"]),
            node("Add", ["p", "q"], ["both"]),
            node("Div", ["both", "two"], ["y"]),
        ),
        {"one": np.array(1, np.float32), "half": np.array(0.5, np.float32), "two": np.array(2, np.float32)},
        {},
        "probabilities",
        (0,),
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_every_end_becomes_one_logit_for_each_pixel(name: str, tmp_path: Path) -> None:
    end, drawn, said, head, foreground = ENDS[name]
    path = gated(tmp_path / "theirs.onnx", *end, **drawn)
    network = read(path, **said)
    assert (network.record.head, network.record.foreground) == (head, foreground)
    assert held_against_its_file(network, path) < 1e-4
    assert network.model.output_shape == (None, SIDE, SIDE, 1)


def test_the_operation_that_kept_it_from_keras_is_named(tmp_path: Path) -> None:
    network = read(gated(tmp_path / "theirs.onnx"))
    assert network.record.not_keras == "edgeseg has no Keras layer for Greater (1), Where (1)"
    assert "stays an ONNX graph" in network.record.notes[0]
    assert {"first.Conv", "gate.Where", "last.Conv"} <= set(network.model.layers.values())


def test_channels_that_come_last_are_moved(tmp_path: Path) -> None:
    path = gated(
        tmp_path / "theirs.onnx",
        node("Sigmoid", ["z"], ["p"]),
        node("Transpose", ["p"], ["y"], perm=[0, 2, 3, 1]),
        image=(1, SIDE, SIDE, 3),
        start=(node("Transpose", ["image"], ["x"], perm=[0, 3, 1, 2]),),
    )
    network = read(path)
    assert network.record.layout == "NHWC"
    assert held_against_its_file(network, path) < 1e-4


def test_bytes_that_it_scales_down_itself_are_given_as_they_are(tmp_path: Path) -> None:
    start = (node("Div", ["image", "most"], ["x"]),)
    path = gated(tmp_path / "theirs.onnx", start=start, most=np.array(255.0, np.float32))
    network = read(path)
    assert network.record.contract.scale == 1.0
    assert held_against_its_file(network, path) < 1e-4


def test_an_old_opset_is_lifted(tmp_path: Path) -> None:
    path = gated(tmp_path / "theirs.onnx", opset=11)
    network = read(path)
    assert network.model.proto.opset_import[0].version == 17
    assert held_against_its_file(network, path) < 1e-4


def test_weights_beside_the_file_are_taken(tmp_path: Path) -> None:
    path = gated(tmp_path / "theirs.onnx", apart=True)
    assert (tmp_path / "apart.bin").is_file()
    assert held_against_its_file(read(path), path) < 1e-4


def test_a_batch_normalisation_becomes_a_convolution(tmp_path: Path) -> None:
    network = read(gated(tmp_path / "theirs.onnx"))
    kinds = [one.op_type for one in network.model.proto.graph.node]
    assert "BatchNormalization" not in kinds
    assert network.model.kernels()["first.Norm"] == 4


def test_equal_files_give_equal_graphs(tmp_path: Path) -> None:
    path = gated(tmp_path / "theirs.onnx")
    assert len({read(path).model.proto.SerializeToString(deterministic=True) for _ in range(2)}) == 1


DECIDED: dict[str, tuple[Any, ...]] = {
    "greater": (node("Greater", ["z", "limit"], ["d"]), node("Cast", ["d"], ["y"], to=1)),
    "argmax": (node("ArgMax", ["z"], ["d"], axis=1), node("Cast", ["d"], ["y"], to=1)),
    "where": (node("Greater", ["z", "limit"], ["d"]), node("Where", ["d", "one", "none"], ["y"])),
}


@pytest.mark.parametrize("name", DECIDED)
def test_a_mask_in_place_of_values_is_refused_with_the_way_on(name: str, tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"one": np.ones((), np.float32), "none": np.zeros((), np.float32)}
    path = gated(tmp_path / "theirs.onnx", *DECIDED[name], channels=2 if name == "argmax" else 1, **numbers)
    with pytest.raises(ArtifactError, match=r"decided already .*; export what it gives before that decision"):
        read(path)


def test_a_classifier_and_an_open_size_are_refused(tmp_path: Path) -> None:
    classes = node("GlobalAveragePool", ["z"], ["y"])
    with pytest.raises(ArtifactError, match="classifier"):
        read(gated(tmp_path / "classes.onnx", classes, channels=4))
    path = gated(tmp_path / "open.onnx", image=(1, 3, "h", "w"))
    with pytest.raises(OptionError, match="--size"):
        read(path)
    assert read_network(path, ForeignContract(), VARIANT, size=(SIDE, SIDE), output=None).record.not_keras


def test_a_contract_that_contradicts_the_graph_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="ends in a sigmoid"):
        read(gated(tmp_path / "theirs.onnx"), output="logits")


def test_what_the_graph_tells_is_filled_in(tmp_path: Path) -> None:
    path = gated(tmp_path / "theirs.onnx", node("Softmax", ["z"], ["y"], axis=1), channels=3)
    found, facts, channels = complete(path, ForeignContract(), size=None, output=None)
    assert (found.output, found.size, channels) == ("softmax", (SIDE, SIDE), 3)
    assert any("which of its channels" in fact for fact in facts)


def test_its_own_runtime_agrees_before_anything_is_converted(tmp_path: Path) -> None:
    path = gated(tmp_path / "theirs.onnx", node("Identity", ["z"], ["y"]))
    network = read(path)
    image = SLICES[:1].astype(np.float32).transpose(0, 3, 1, 2) / 255
    (theirs,) = ort.InferenceSession(str(path)).run(None, {"x": image})
    (ours,) = ort.InferenceSession(network.model.proto.SerializeToString()).run(None, {"image": image})
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
