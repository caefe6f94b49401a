"""Strided convolutions of few channels over squares of pixels: the same function, and in int8 the same codes."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.targets import TARGETS, ConvertJob, _tflite, _tflite_flat, onnx_int8, open_artifact, tflite_int8
from edgeseg.targets._blocks import in_blocks
from edgeseg.targets._keras import network
from edgeseg.targets._onnx_channels_last import channels_last
from tests.targets.conftest import DEPTH

TFLITE = ("tflite-fp32", "tflite-fp16", "tflite-dynamic", "tflite-int8")
ALLOWED = {"fp32": 1e-5, "fp16": 1e-5, "int8": 0.0, "dynamic": 0.05}
"""The largest difference of logits over their spread, by precision: sums in another order, equal codes, and ranges of
the weights that are shared otherwise."""


@pytest.mark.parametrize("name", TFLITE)
def test_a_file_with_the_stem_over_squares_gives_the_same_logits(
    name: str, trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"edgeseg.targets.{name.replace('-', '_')}")
    logits, steps = [], []
    for blocks in (False, True):
        monkeypatch.setattr(module, "BLOCKS", blocks)
        path = tmp_path / f"{blocks}.tflite"
        TARGETS[name].convert(trained.job, path)
        logits.append(open_artifact(path).logits(trained.images[:4]))
        steps.append(_tflite_flat.operations(_tflite.unpack(path.read_bytes())))
    assert ["SPACE_TO_DEPTH" in found for found in steps] == [False, True]
    assert np.abs(logits[0] - logits[1]).max() <= ALLOWED[TARGETS[name].precision] * np.ptp(logits[0])


def test_a_stem_that_stays_in_float_does_so_over_squares_too(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = []
    job = replace(trained.job, float_layers=("enc1_1_conv",))
    for blocks in (False, True):
        monkeypatch.setattr(tflite_int8, "BLOCKS", blocks)
        TARGETS["tflite-int8"].convert(job, tmp_path / f"{blocks}.tflite")
        opened = open_artifact(tmp_path / f"{blocks}.tflite")
        assert opened.contract.float_layers == ("enc1_1_conv",)
        logits.append(opened.logits(trained.images[:4]))
    assert np.abs(logits[0] - logits[1]).max() <= 0.05 * np.ptp(logits[0])


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "channels", "taken"),
    [
        (6, 2, "same", 3, True),
        (12, 4, "same", 1, True),
        (4, 2, "valid", 3, True),
        (4, 4, "same", 4, True),
        (4, 2, "same", 3, False),  # one pixel of padding is half a square
        (3, 2, "same", 3, False),
        (6, 2, "same", 5, False),
        (3, 1, "same", 3, False),
    ],
)
def test_those_whose_kernel_and_padding_are_whole_squares_are_rewritten(
    kernel: int, stride: int, padding: str, channels: int, taken: bool
) -> None:
    keras = load_keras()
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 24, channels))
    stem = keras.layers.Conv2D(
        5, kernel, strides=stride, padding=padding, activation="relu", bias_initializer="normal", name="stem"
    )(image)
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="head")(stem))
    form = network(model, space_to_depth=True)
    assert ("SpaceToDepth" in {type(step.layer).__name__ for step in form.steps}) == taken
    assert form.owners() == network(model).owners()
    assert form.plain == network(model).plain
    given = np.random.default_rng(0).random((2, 16, 24, channels), dtype=np.float32)
    np.testing.assert_allclose(form.run(given)["head"], model(given), rtol=0, atol=1e-5)


def test_numbers_of_a_kernel_are_ordered_as_space_to_depth_orders_channels() -> None:
    kernel = np.arange(4 * 4 * 3).reshape(4, 4, 3, 1)
    moved = in_blocks(kernel, 2)
    assert moved.shape == (2, 2, 12, 1)
    assert moved[1, 0, :, 0].tolist() == [*kernel[2, 0:2].ravel(), *kernel[3, 0:2].ravel()]


@pytest.mark.parametrize("profile", ["arm", "x86"])
@pytest.mark.parametrize("layers", [(), ("dec2_up",)], ids=["integers", "mixed"])
def test_a_file_whose_codes_move_with_channels_last_gives_the_same_codes(
    profile: str, layers: tuple[str, ...], trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnx

    job = replace(trained.job, contract=replace(trained.job.contract, profile=profile), float_layers=layers)
    logits, kinds = [], []
    for moved in (False, True):
        monkeypatch.setattr(onnx_int8, "CHANNELS_LAST", moved)
        path = tmp_path / f"{moved}.onnx"
        TARGETS["onnx-int8"].convert(job, path)
        logits.append(open_artifact(path).logits(trained.images[:4]))
        kinds.append([node.op_type for node in onnx.load(path).graph.node])
    assert [found.count("DepthToSpace") for found in kinds] == [DEPTH + 1, 0]
    assert [found.count("Reshape") for found in kinds] == [0, 2 * (DEPTH + 1)]
    np.testing.assert_array_equal(logits[0], logits[1])


def test_a_rearrangement_of_several_classes_moves_every_channel() -> None:
    """The logits of one channel lie alike in both orders; those of several have to be turned back."""
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    ends = [
        helper.make_tensor_value_info(n, TensorProto.INT8, s) for n, s in (("x", (1, 12, 4, 6)), ("y", (1, 3, 8, 12)))
    ]
    codes = [numpy_helper.from_array(np.array(0.5, np.float32), "scale"), numpy_helper.from_array(np.int8(3), "zero")]
    nodes = [
        helper.make_node("DequantizeLinear", ["x", "scale", "zero"], ["a"]),
        helper.make_node("DepthToSpace", ["a"], ["b"], blocksize=2, name="d"),
        helper.make_node("QuantizeLinear", ["b", "scale", "zero"], ["y"], name="q"),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], codes)
    before = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    after = type(before).FromString(before.SerializeToString())
    channels_last(after)
    moves = ["Transpose", "Reshape", "Transpose", "Reshape", "Transpose"]
    assert [node.op_type for node in after.graph.node] == ["DequantizeLinear", *moves, "QuantizeLinear"]
    given = np.random.default_rng(0).integers(-128, 128, (1, 12, 4, 6)).astype(np.int8)
    found = []
    for model in (before, after):
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        found.append(session.run(None, {session.get_inputs()[0].name: given})[0])
    np.testing.assert_array_equal(found[0], found[1])


def test_targets_say_whether_they_do() -> None:
    for name, target in TARGETS.items():
        module = importlib.import_module(f"edgeseg.targets.{name.replace('-', '_')}")
        assert target.blocks == getattr(module, "BLOCKS", False)
        assert target.channels_last == getattr(module, "CHANNELS_LAST", False)


def test_jobs_that_share_what_they_know_do_not_share_the_form(trained: Any) -> None:
    job: ConvertJob = trained.job
    shape = (64, 64, 3)
    one, other = (job.once(_tflite._calibrated_tiles, shape, blocks, ()) for blocks in (False, True))
    assert one is not other
