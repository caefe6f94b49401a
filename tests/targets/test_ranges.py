"""Activation ranges: measured once by layer, right for every tensor of every format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError, CheckpointError, OptionError
from edgeseg.jsonio import from_json, to_json
from edgeseg.runtime.onnx_session import FUSED, open_onnx
from edgeseg.specs import Contract, ImageSpec, VariantSpec
from edgeseg.targets import TARGETS, ConvertJob, _keras, _onnx, _onnx_int8, _tflite, _tflite_flat
from edgeseg.targets.ranges import ActivationRanges, LayerRange, measure
from edgeseg.variants import VARIANTS, build_model

SIDE_PX = 32
SLICES = np.random.default_rng(3).random((3, SIDE_PX, SIDE_PX, 3), dtype=np.float32)
INT8 = [name for name, target in TARGETS.items() if target.needs_calibration]


@pytest.fixture(scope="module", params=VARIANTS)
def network(request: pytest.FixtureRequest) -> tuple[Any, Contract, ActivationRanges]:
    """A network of 4 ... 64 channels whose batch normalisation fits its activations."""
    keras = load_keras()
    keras.utils.set_random_seed(0)
    name = request.param
    spec = VariantSpec(name=name, alpha=0.0625, stem="half" if name == "alphax" else "full")
    model = build_model(spec, ImageSpec(height=SIDE_PX, width=SIDE_PX))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(SLICES, training=True)
    contract = Contract(
        variant=spec, tier="custom", target="x", layout="NHWC", trained_on="phantom", height=SIDE_PX, width=SIDE_PX
    )
    return model, contract, measure(model, SLICES)


def test_ranges_are_the_smallest_and_largest_value_of_each_layer(trained: Any) -> None:
    keras = load_keras()
    inputs = trained.images[:5].astype(np.float32) / np.float32(255)
    found = measure(trained.model, iter(inputs))
    layers = [layer for layer in trained.model.layers if not isinstance(layer, keras.layers.InputLayer)]
    outputs = keras.Model(trained.model.inputs, [layer.output for layer in layers])([inputs], training=False)
    assert {entry.layer for entry in found.layers} == {layer.name for layer in layers}
    for layer, values in zip(layers, map(np.asarray, outputs), strict=True):
        assert found.of(layer.name) == pytest.approx((values.min(), values.max()), rel=1e-4, abs=1e-5)


def test_a_layer_that_runs_three_times_has_three_ranges(recurrent: ConvertJob) -> None:
    assert recurrent.ranges is not None
    shared = {entry.layer: entry for entry in recurrent.ranges.layers if entry.layer.startswith("shared")}
    assert list(shared) == ["shared", "shared:2", "shared:3"]
    assert len({(entry.low, entry.high) for entry in shared.values()}) == 3


def test_every_value_of_the_onnx_graph_has_the_range_of_its_layer(
    network: tuple[Any, Contract, ActivationRanges],
) -> None:
    from onnx import TensorProto, helper

    model, contract, ranges = network
    proto, layers = _onnx.named_graph(model, contract)
    layers = _onnx_int8.transposed_to_depth_to_space(proto, layers)
    found = _onnx_int8.value_layers(proto, layers)
    assert list(found) == [node.output[0] for node in proto.graph.node]
    relus = {node.input[0] for node in proto.graph.node if node.op_type == "Relu"}
    names = [value for value in found if value != "logits"]
    proto.graph.output.extend(helper.make_tensor_value_info(value, TensorProto.FLOAT, None) for value in names)
    session = open_onnx(proto.SerializeToString(), mode=FUSED, threads=1)
    runs = [session.run(names, {"image": image.transpose(2, 0, 1)[np.newaxis]}) for image in SLICES]
    for value, outputs in zip(names, zip(*runs, strict=True), strict=True):
        low, high = ranges.of(found[value])
        ends = (min(output.min() for output in outputs), max(output.max() for output in outputs))
        joined = value in relus and low == 0.0
        wanted = (max(ends[0], 0.0) if joined else ends[0], ends[1])
        assert (low, high) == pytest.approx(wanted, rel=1e-3, abs=1e-4), value


def test_every_tensor_of_the_tflite_graph_has_the_range_of_its_layer(
    network: tuple[Any, Contract, ActivationRanges],
) -> None:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    model, contract, ranges = network
    flat = _tflite.float_model(model, contract)
    found = _tflite_flat.layer_names(flat, _keras.network(model))
    assert len(found) == len(flat.subgraphs[0].operators)
    data = _tflite.pack(flat)
    interpreter = Interpreter(
        model_content=data,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    ends = dict.fromkeys(found, (np.inf, -np.inf))
    for image in SLICES:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[np.newaxis])
        interpreter.invoke()
        for place, (low, high) in ends.items():
            values = interpreter.get_tensor(place)
            ends[place] = (min(low, values.min()), max(high, values.max()))
    for place, layer in found.items():
        assert ends[place] == pytest.approx(ranges.of(layer), rel=1e-3, abs=1e-4), layer


@pytest.mark.parametrize("name", INT8)
def test_ranges_that_lack_a_layer_or_have_another_are_refused(name: str, recurrent: ConvertJob, tmp_path: Any) -> None:
    given = recurrent.ranges
    assert given is not None
    fewer = replace(given, layers=given.layers[:-1])
    other = replace(given, layers=(*given.layers, LayerRange(layer="enc9_conv", low=0.0, high=1.0)))
    for ranges, message in ((fewer, "hold none for 'head'; record them again"), (other, "no layer 'enc9_conv'")):
        with pytest.raises(CheckpointError, match=message):
            TARGETS[name].convert(replace(recurrent, ranges=ranges), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_ranges_survive_json_to_the_last_bit(recurrent: ConvertJob) -> None:
    assert recurrent.ranges is not None
    assert from_json(ActivationRanges, to_json(recurrent.ranges)) == recurrent.ranges


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        (np.zeros((2, 32, 64, 3), np.float32), r"float32 \(32, 64, 3\); float32 \(16, 16, 3\)"),
        (np.zeros((2, 16, 16, 3), np.uint8), "uint8"),
        (np.zeros((0, 16, 16, 3), np.float32), "none were given"),
        (np.full((2, 16, 16, 3), 255, np.float32), r"\[255, 255\]; the network's input is \[0, 1\]"),
        (np.full((2, 16, 16, 3), np.nan, np.float32), "nan"),
    ],
)
def test_calibration_slices_that_are_not_network_input_are_refused(
    slices: Any, message: str, recurrent: ConvertJob
) -> None:
    with pytest.raises(OptionError, match=message):
        measure(recurrent.model, slices)


def test_a_network_that_gives_nan_is_refused() -> None:
    keras = load_keras()
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1, kernel_initializer="zeros", name="head")(image))
    model.set_weights([np.full((1, 1, 3, 1), np.nan, np.float32), np.zeros(1, np.float32)])
    with pytest.raises(ArtifactError, match="NaN or infinity"):
        measure(model, np.zeros((1, 16, 16, 3), np.float32))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LayerRange(layer="a", low=1.0, high=0.0), r"\[1.0, 0.0\]"),
        (lambda: LayerRange(layer="a", low=0.0, high=float("inf")), "inf"),
        (lambda: ActivationRanges(method="guess", layers=(LayerRange(layer="a", low=0, high=1),)), "min-max"),
        (lambda: ActivationRanges(method="min-max", layers=()), "no layer"),
        (lambda: ActivationRanges(method="min-max", layers=(LayerRange(layer="a", low=0, high=1),) * 2), "twice"),
    ],
)
def test_bad_ranges_are_refused(make: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        make()
