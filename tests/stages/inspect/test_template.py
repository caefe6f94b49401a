"""What a file tells of its output, and the contract that is written from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.errors import ArtifactError
from edgeseg.jsonio import from_json
from edgeseg.specs import Contract
from edgeseg.stages.inspect import contract_template, inspect
from edgeseg.stages.inspect.output_kind import Step, output_kind

Write = Callable[..., Path]
TRANSPOSED = (("Transpose", {"perm": [0, 2, 3, 1]}), ("Transpose", {"perm": [0, 3, 1, 2]}))


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        ((), "logits"),
        (("Identity", *TRANSPOSED), "logits"),
        (("Sigmoid",), "probabilities"),
        (("HardSigmoid",), "probabilities"),
        (("Sigmoid", "Identity", *TRANSPOSED, ("Cast", {"to": 1})), "probabilities"),
        (("Relu",), "unknown"),
        (("Sigmoid", "Neg"), "unknown"),
    ],
)
def test_an_onnx_file_tells_what_it_gives(foreign_onnx: Write, tail: tuple[Any, ...], kind: str) -> None:
    found = inspect(foreign_onnx(tail=tail))
    assert found.graph.output_kind.kind == kind
    text, notes = contract_template(found)
    told = json.loads(text)
    assert told["output"] == ("logits" if kind == "unknown" else kind)
    assert told["schema_version"] == 3
    assert from_json(Contract, text).output == told["output"]
    assert [("cannot be told" in note) for note in notes] == [True] * (kind == "unknown")


def test_an_ort_file_tells_it_too(foreign_onnx: Write, tmp_path: Path) -> None:
    from edgeseg.targets import _ort

    path = tmp_path / "foreign.ort"
    path.write_bytes(_ort.saved(foreign_onnx(tail=("Sigmoid", "Identity")).read_bytes()))
    assert inspect(path).graph.output_kind.kind == "probabilities"


def _keras(tail: Callable[[Any, Any], Any]) -> Any:
    import keras

    source = keras.Input((16, 24, 3))
    return keras.Model(source, tail(keras, keras.layers.Conv2D(2, 1)(source)))


@pytest.mark.parametrize(
    ("tail", "kind", "lite"),
    [
        (lambda k, x: k.layers.Conv2D(1, 1)(x), "logits", ""),
        (lambda k, x: k.layers.Conv2D(1, 1, activation="sigmoid")(x), "probabilities", ""),
        (
            lambda k, x: k.layers.Reshape((16, 24, 1))(k.layers.Conv2D(1, 1, activation="sigmoid")(x)),
            "probabilities",
            "",
        ),
        (lambda k, x: k.layers.Activation("hard_sigmoid")(k.layers.Conv2D(1, 1)(x)), "probabilities", "unknown"),
        (lambda k, x: k.layers.Conv2D(1, 1, activation="relu")(x), "unknown", ""),
        (lambda k, x: k.layers.Softmax()(x), "softmax", ""),
    ],
    ids=["logits", "sigmoid", "reshaped", "hard sigmoid", "relu", "softmax"],
)
def test_keras_and_tflite_files_tell_it(tail: Callable[[Any, Any], Any], kind: str, lite: str, tmp_path: Path) -> None:
    import tensorflow as tf

    from edgeseg.quiet import quiet

    model = _keras(tail)
    with quiet((1, 2)):
        model.save(tmp_path / "m.hdf5", include_optimizer=False)
        (tmp_path / "m.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    assert inspect(tmp_path / "m.hdf5").graph.output_kind.kind == kind
    found = inspect(tmp_path / "m.tflite").graph.output_kind
    assert found.kind == (lite or kind)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ({"tail": (("Softmax", {"axis": 1}),)}, "1 everywhere"),
        ({"source": (1, 3, 3, 3)}, "layout cannot be told"),
        ({"dtype": "FLOAT16"}, "takes float16"),
        ({"more": ("z",)}, "one image of 1 to 16 channels"),
        ({"tail": ("GlobalAveragePool", "Flatten"), "result": (1, 1)}, "no segmentation network"),
        ({"tail": ("GlobalAveragePool",), "result": (1, 1, 1, 1)}, "end the model with a resize"),
    ],
    ids=["one softmax", "3 x 3", "float16", "two inputs", "classifier", "smaller"],
)
def test_what_no_contract_describes_gets_no_template(foreign_onnx: Write, model: dict[str, Any], told: str) -> None:
    found = inspect(foreign_onnx(**model))
    with pytest.raises(ArtifactError, match=told):
        contract_template(found)


def test_open_sizes_are_guessed_and_said(foreign_onnx: Write) -> None:
    text, notes = contract_template(inspect(foreign_onnx(source=(1, 3, "h", "w"))))
    assert (json.loads(text)["height"], json.loads(text)["width"]) == (256, 256)
    assert len(notes) == 1
    assert "height and width are open" in notes[0]


def test_what_cannot_be_followed_is_unknown() -> None:
    softmax = Step(operation="Softmax", inputs=("a",))
    picked = {"y": Step(operation="Slice", inputs=("p",)), "p": softmax}
    assert output_kind(["y"], picked).kind == "probabilities"
    assert output_kind(["y"], {"y": Step(operation="Identity", inputs=("y",))}).kind == "unknown"
    assert output_kind(["y"], {}).kind == "unknown"
    assert output_kind(["y", "z"], {}).kind == "unknown"
    conv = Step(operation="ConvInteger", inputs=("x",))
    biased = {"y": Step(operation="Add", inputs=("c", "b")), "c": conv}
    assert output_kind(["y"], biased, {"b"}).kind == "logits"
    assert output_kind(["y"], biased).kind == "unknown"
    assert (
        output_kind(["y"], {"y": Step(operation="FusedConv", inputs=("x",), activation="HardSwish")}).kind == "unknown"
    )
    assert output_kind(["y"], {"y": Step(operation="CONV_2D", inputs=(0,), activation="RELU")}).kind == "unknown"


@pytest.mark.parametrize(("channels", "names"), [(2, ["background", "tumour"]), (3, ["class 0", "class 1", "class 2"])])
def test_several_channels_become_classes_to_be_named(foreign_onnx: Write, channels: int, names: list[str]) -> None:
    weight = tuple((0.0, float(number), 0.0) for number in range(channels))
    text, notes = contract_template(inspect(foreign_onnx(weight=weight, tail=(("Softmax", {"axis": 1}),))))
    told = json.loads(text)
    assert (told["classes"], told["foreground"], told["output"]) == (names, [1], "softmax")
    assert "which of them are tumour cannot be told" in notes[0]


@pytest.mark.parametrize("taken", [1, 4])
def test_any_number_of_channels_is_described_and_they_are_to_be_named(foreign_onnx: Write, taken: int) -> None:
    source = (1, taken, 32, 48)
    text, notes = contract_template(inspect(foreign_onnx(source=source, weight=((1.0,) * taken,))))
    told = json.loads(text)
    assert told["channels"] == [f"channel-{number}" for number in range(1, taken + 1)]
    assert (told["layout"], told["height"], told["width"]) == ("NCHW", 32, 48)
    assert f"takes {taken} channel(s)" in notes[0]
