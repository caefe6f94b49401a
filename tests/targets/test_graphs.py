"""What stands in the ONNX and TFLite files: integers where integers belong, and nothing that a device is slow at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import ArtifactError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.contract import onnx_metadata
from edgeseg.specs import Contract
from edgeseg.targets import TARGETS, ConvertJob
from tests.targets.conftest import DEPTH

Artifact = Callable[[str], Path]


def load_onnx(path: Path) -> Any:
    import onnx

    return onnx.load(path)


def load_tflite(path: Path) -> Any:
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(path.read_bytes()))


def sides(value: Any) -> list[int]:
    return [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def test_the_onnx_float_graph_is_nchw_batch_1_with_folded_normalisation(artifact: Artifact) -> None:
    proto = load_onnx(artifact("onnx-fp32"))
    (image,), (logits,) = proto.graph.input, proto.graph.output
    assert (image.name, sides(image)) == ("image", [1, 3, 64, 64])
    assert (logits.name, sides(logits)) == ("logits", [1, 1, 64, 64])
    assert set(Counter(node.op_type for node in proto.graph.node)) == {
        "Conv",
        "Relu",
        "MaxPool",
        "ConvTranspose",
        "Concat",
    }
    assert [(entry.domain, entry.version) for entry in proto.opset_import if not entry.domain] == [("", 17)]


@pytest.mark.parametrize("name", [name for name in TARGETS if name.startswith(("onnx", "ort"))])
def test_author_and_licence_stand_where_onnx_has_them(artifact: Artifact, name: str) -> None:
    told = onnx_metadata(artifact(name))
    assert (told["model_author"], told["model_license"]) == ("Somebody, Somewhere", "CC0-1.0")


def test_who_is_not_known_is_not_named(trained: Any, tmp_path: Path) -> None:
    path, contract = tmp_path / "unnamed.onnx", replace(trained.job.contract, licence=None)
    TARGETS["onnx-fp32"].convert(replace(trained.job, author="", contract=contract), path)
    assert not {"model_author", "model_license"} & set(onnx_metadata(path))


REARRANGING = {"Transpose", "Reshape", "Squeeze", "Unsqueeze", "Tile", "Expand", "Shape", "TRANSPOSE", "RESHAPE"}
NORMALISING = {"BatchNormalization", "Sub", "Div", "Sqrt", "SUB", "DIV", "RSQRT", "MUL"}
CONVERTED = [name for name in TARGETS if name != "keras-fp32"]


def operators(path: Path) -> Counter[str]:
    """Count what stands in a file, as it lies there."""
    from edgeseg.targets import _ort, _tflite_flat

    if path.suffix == ".tflite":
        return Counter(_tflite_flat.operations(load_tflite(path)))
    if path.suffix == ".onnx":
        return Counter(node.op_type for node in load_onnx(path).graph.node)
    lines = _ort.required_operators(path.read_bytes()).splitlines()[1:]
    return Counter(operator for line in lines for operator in line.rpartition(";")[2].split(","))


@pytest.mark.parametrize("name", CONVERTED)
def test_no_file_normalises_or_rearranges(name: str, artifact: Artifact) -> None:
    """No transpose or reshape is needed: layouts are chosen while converting, a transposed convolution in int8 is a
    1 x 1 one and a DepthToSpace, or moves of codes. The Keras file keeps its batch normalisation; it is what the others
    are folded from.
    """
    found = operators(artifact(name))
    moves = {"Transpose", "Reshape"} if TARGETS[name].channels_last else set()
    assert not ((REARRANGING | NORMALISING) - moves) & set(found)
    assert found["Mul"] in (0, 2 * found["ConvInteger"]), "the dynamic graph has two per convolution, for its scales"


@pytest.mark.parametrize("name", CONVERTED)
def test_batch_and_shapes_are_fixed_and_logits_come_out(name: str, trained: Any, artifact: Artifact) -> None:
    segmenter = Segmenter.load(artifact(name))
    wide = TARGETS[name].layout == "NHWC"
    assert segmenter._session.input.shape == ((1, 64, 64, 3) if wide else (1, 3, 64, 64))
    assert segmenter._session.output.shape == ((1, 64, 64, 1) if wide else (1, 1, 64, 64))
    logits = segmenter.logits(trained.images)
    assert logits.min() < 0.0
    assert logits.max() > 1.0, "these are probabilities, not logits"


@pytest.mark.parametrize(("name", "ends"), [("onnx-fp16", "float32"), ("onnx-dynamic", "float32")])
def test_smaller_onnx_graphs_keep_float32_at_their_ends(name: str, ends: str, artifact: Artifact) -> None:
    info = Segmenter.load(artifact(name))._session
    assert (info.input.dtype, info.output.dtype) == (ends, ends)


def test_the_onnx_float16_graph_casts_at_its_ends_alone(artifact: Artifact) -> None:
    import onnx

    proto = load_onnx(artifact("onnx-fp16"))
    kinds = [node.op_type for node in proto.graph.node]
    assert (kinds[0], kinds[-1], kinds.count("Cast")) == ("Cast", "Cast", 2)
    assert {t.data_type for t in proto.graph.initializer} == {onnx.TensorProto.FLOAT16}


def test_a_weight_beyond_float16_is_refused(make_contract: Callable[..., Contract], tmp_path: Path) -> None:
    keras = load_keras()
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Conv2D(1, 1, kernel_initializer="ones")(image))
    model.set_weights([np.full((1, 1, 3, 1), 1e5, np.float32), np.zeros(1, np.float32)])
    job = ConvertJob(model=model, contract=make_contract(height=8, width=8))
    with pytest.raises(ArtifactError, match="is 100000 and float16 ends at 65504"):
        TARGETS["onnx-fp16"].convert(job, tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())


def test_the_dynamic_onnx_graph_has_a_scale_per_channel_and_integer_kernels(artifact: Artifact) -> None:
    proto = load_onnx(artifact("onnx-dynamic"))
    kinds = Counter(node.op_type for node in proto.graph.node)
    assert not {"Conv", "ConvTranspose"} & set(kinds)
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "ConvInteger":
            assert constants[node.input[1]].data_type == load_uint8()
    scales = [node.input[1] for node in proto.graph.node if node.op_type == "Mul" and node.input[1] in constants]
    assert max(max(constants[name].dims) for name in scales) > 1


def load_uint8() -> int:
    import onnx

    return int(onnx.TensorProto.UINT8)


def test_integer_sums_of_the_dynamic_graph_do_not_saturate_here() -> None:
    """Worst case: every product 255 x 127 over 32 channels of 3 x 3, which 16-bit sums could not hold."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from edgeseg.targets import _onnx_dynamic

    weight = np.ones((4, 32, 3, 3), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["logits"], kernel_shape=[3, 3], name="0_Conv")],
        "worst",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 32, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 4, 6, 6])],
        [numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    proto = _onnx_dynamic.dynamic(model, {}, plain=True)
    image = np.full((1, 32, 8, 8), 255.0, np.float32)
    image[0, 0, 0, 0] = 0.0
    session = ort.InferenceSession(proto.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"image": image})
    wanted = np.full((1, 4, 6, 6), 255.0 * 32 * 9)
    wanted[:, :, 0, 0] -= 255.0
    assert np.allclose(found, wanted, rtol=1e-6)
    assert isinstance(proto, onnx.ModelProto)


def test_a_device_may_feed_the_byte_itself_to_int16(trained: Any, artifact: Artifact) -> None:
    segmenter = Segmenter.load(artifact("tflite-int16x8"))
    info = segmenter._session.input
    assert (info.dtype, info.zero_point) == ("int16", 0)
    assert np.array_equal(segmenter.encoded(trained.images[:1]), trained.images[:1].astype(np.int16))


def test_the_tflite_int16_graph_is_full_integer_around_zero(artifact: Artifact) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    flat = load_tflite(artifact("tflite-int16x8"))
    (graph,) = flat.subgraphs
    types = schema.TensorType
    assert {t.type for t in graph.tensors} == {types.INT16, types.INT8, types.INT64, types.INT32}
    shapes = [t for t in graph.tensors if t.type == types.INT32]
    assert all(list(t.shape) == [4] for t in shapes), "int32 is for the output shapes of transposed convolutions alone"
    assert all(list(t.quantization.zeroPoint) == [0] for t in graph.tensors if t.type == types.INT16)


def test_the_onnx_int8_graph_takes_raw_bytes_and_holds_int8_weights(artifact: Artifact) -> None:
    import onnx

    proto = load_onnx(artifact("onnx-int8"))
    assert proto.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.INT8
    assert proto.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.INT8
    meaning = {entry.key: entry.value for entry in proto.metadata_props}
    assert np.float32(meaning["edgeseg.input_scale"]) == np.float32(1 / 255)
    assert meaning["edgeseg.input_zero_point"] == "-128"
    kernels = [tensor for tensor in proto.graph.initializer if len(tensor.dims) == 4]
    assert kernels
    assert {tensor.data_type for tensor in kernels} == {onnx.TensorProto.INT8}
    floats = [t for t in proto.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    assert max(int(np.prod(t.dims)) for t in floats) < 1024, "a float tensor other than scales is in the file"


def test_onnx_runtime_keeps_the_int8_graph_in_integers_as_on_arm(artifact: Artifact, tmp_path: Path) -> None:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    ort.InferenceSession(str(artifact("onnx-int8")), options, providers=["CPUExecutionProvider"])
    kinds = Counter(node.op_type for node in load_onnx(tmp_path / "optimised.onnx").graph.node)
    assert {"QLinearConv", "QLinearConcat", "NhwcMaxPool"} <= set(kinds)
    assert not {"Conv", "ConvTranspose", "Concat", "QuantizeLinear", "DequantizeLinear", "DepthToSpace"} & set(kinds)
    assert kinds["Transpose"] == 1 + DEPTH + 1, "the image's, and one for each transposed convolution"


def test_a_recurrent_int8_graph_stores_its_shared_kernel_once(recurrent: ConvertJob, tmp_path: Path) -> None:
    TARGETS["onnx-int8"].convert(recurrent, tmp_path / "r.onnx")
    shapes = Counter(tuple(t.dims) for t in load_onnx(tmp_path / "r.onnx").graph.initializer if len(t.dims) == 4)
    assert shapes[4, 4, 3, 3] == 2, "one for the recurrent convolution, one for the deep one"


def test_the_tflite_graph_is_nhwc_batch_1_and_static(artifact: Artifact) -> None:
    from edgeseg.targets import _tflite_flat

    for name in ("tflite-fp32", "tflite-int8"):
        flat = load_tflite(artifact(name))
        (graph,) = flat.subgraphs
        image, logits = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
        assert (image.name, list(image.shape)) == (b"image", [1, 64, 64, 3])
        assert (logits.name, list(logits.shape)) == (b"logits", [1, 64, 64, 1])
        assert all(t.shapeSignature is None or min(t.shapeSignature) >= 0 for t in graph.tensors)
        squares = {"SPACE_TO_DEPTH"} if TARGETS[name].blocks else set()
        plain = {"CONV_2D", "MAX_POOL_2D", "DEPTH_TO_SPACE", "CONCATENATION"}
        assert set(_tflite_flat.operations(flat)) == plain | squares


def test_the_tflite_int8_graph_is_full_integer_with_the_exact_input_scale(artifact: Artifact) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    (graph,) = load_tflite(artifact("tflite-int8")).subgraphs
    image, logits = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    assert image.type == logits.type == schema.TensorType.INT8
    assert np.float32(image.quantization.scale[0]) == np.float32(1 / 255)
    assert list(image.quantization.zeroPoint) == [-128]
    assert {t.type for t in graph.tensors} == {schema.TensorType.INT8, schema.TensorType.INT32}
    scales = [
        len(t.quantization.scale) for t in graph.tensors if t.type == schema.TensorType.INT8 and len(t.shape) == 4
    ]
    assert max(scales) > 1, "the weights have one scale for all channels"


@pytest.mark.parametrize("name", ["tflite-int8", "onnx-int8"])
def test_a_device_may_feed_a_byte_minus_128(name: str, trained: Any, artifact: Artifact) -> None:
    segmenter = Segmenter.load(artifact(name))
    info = segmenter._session.input
    assert info.dtype == "int8"
    fed = segmenter.encoded(trained.images[:1])
    raw = (trained.images[:1].astype(np.int16) - 128).astype(np.int8)
    assert np.array_equal(fed, raw if TARGETS[name].layout == "NHWC" else raw.transpose(0, 3, 1, 2))


def test_what_a_graph_of_plain_layers_must_not_hold_is_named(make_contract: Callable[..., Contract]) -> None:
    from edgeseg.targets import _onnx, _tflite

    keras = load_keras()
    image = keras.Input((8, 8, 3))
    turned = keras.layers.Permute((2, 1, 3))(keras.layers.Conv2D(2, 3, padding="same", activation="relu")(image))
    model = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(turned))
    contract = make_contract(height=8, width=8)
    with pytest.raises(ArtifactError, match="holds 1 x TRANSPOSE"):
        _tflite.check_graph(_tflite.float_model(model, contract))
    with pytest.raises(ArtifactError, match="holds 1 x Transpose"):
        _onnx.check_graph(_onnx.float_graph(model, contract), _onnx.UNWANTED)


def test_transposed_convolutions_become_the_same_function_without_them(recurrent: ConvertJob) -> None:
    import onnx

    from edgeseg.targets import _onnx, _onnx_int8

    keras = load_keras()
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 3))
    x = keras.layers.Conv2DTranspose(5, 2, strides=2, bias_initializer="normal")(image)
    x = keras.layers.Conv2DTranspose(1, 4, strides=4, bias_initializer="normal")(keras.layers.MaxPooling2D(8)(x))
    model = keras.Model(image, x)
    contract = Contract(
        variant=recurrent.contract.variant, tier="x", target="x", layout="NHWC", trained_on="phantom", height=8, width=8
    )
    before = _onnx.float_graph(model, contract)
    after = onnx.ModelProto.FromString(before.SerializeToString())
    assert _onnx_int8.transposed_to_depth_to_space(after, {"logits": "head"}) == {"3_out": "head", "logits": "head"}
    assert [n.op_type for n in after.graph.node] == ["Conv", "DepthToSpace", "MaxPool", "Conv", "DepthToSpace"]
    feed = {"image": np.random.default_rng(0).random((1, 3, 8, 8), dtype=np.float32)}
    one, two = (
        ort.InferenceSession(p.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)[0]
        for p in (before, after)
    )
    assert one.shape == (1, 1, 8, 8)
    assert np.allclose(one, two, atol=1e-6)


def test_only_transposed_convolutions_that_tile_are_written_as_a_rearrangement() -> None:
    from edgeseg.targets._keras import network

    keras = load_keras()
    keras.utils.set_random_seed(1)
    up, image = keras.layers.Conv2DTranspose, keras.Input((8, 8, 3))
    x = up(6, 2, strides=2, bias_initializer="normal", name="tiles")(image)
    x = up(5, 3, strides=2, padding="same", name="overlaps")(x)
    x = up(4, 2, strides=2, activation="relu", name="bends")(x)
    x = up(1, 4, strides=4, use_bias=False, name="head")(x)
    model = keras.Model(image, x)
    form = network(model, depth_to_space=True)
    assert {s.name for s in form.steps if type(s.layer).__name__ == "DepthToSpace"} == {"tiles", "bends", "head"}
    assert form.owners() == network(model).owners()
    given = np.random.default_rng(0).random((1, 8, 8, 3), dtype=np.float32)
    np.testing.assert_allclose(form.run(given)["head"], model(given), rtol=0, atol=1e-6)
