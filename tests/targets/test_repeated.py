"""A kernel that a network applies several times stands once in every file of 8-bit weights, and computes as before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from edgeseg.backend import load_keras
from edgeseg.data.phantom import phantom_volume
from edgeseg.runtime.litert_session import LitertSession
from edgeseg.runtime.onnx_session import FUSED, OnnxSession
from edgeseg.targets import TARGETS, ConvertJob, KerasPredictor, _onnx, _repeated, _tflite, _tflite_flat, open_artifact
from edgeseg.targets._repeated import on_codes
from edgeseg.targets.graph import GraphNetwork
from edgeseg.targets.ranges import measure
from tests.targets.conftest import contract, recurrent_model

WIDTH, SIDE, CALLS = 16, 16, 3
SHAPE = (WIDTH, 3, 3, WIDTH)
FILES = ("onnx-int8/arm", "onnx-int8/x86", "onnx-dynamic", "tflite-int8", "tflite-dynamic", "tflite-int16x8")


@pytest.fixture(scope="module")
def job() -> ConvertJob:
    """A recurrent network whose kernel has most weights half-way between two codes of 8 bits, and of 7."""
    model, rng = recurrent_model(WIDTH), np.random.default_rng(1)
    halves = rng.integers(-60, 60, (3, 3, WIDTH, WIDTH)) + 0.5
    halves[0, 0, 0] = [127] * (WIDTH // 2) + [64] * (WIDTH // 2)
    model.get_layer("shared").set_weights([(halves * rng.uniform(1e-3, 2e-3, WIDTH)).astype(np.float32)])
    slices = rng.random((8, SIDE, SIDE, 3), dtype=np.float32)
    return ConvertJob(model=model, contract=contract(height=SIDE, width=SIDE), ranges=measure(model, slices))


@pytest.fixture(scope="module")
def file(job: ConvertJob, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    folder = tmp_path_factory.mktemp("repeated")

    def path_of(name: str) -> Path:
        target, _, profile = name.partition("/")
        path = folder / f"{name.replace('/', '-')}{TARGETS[target].suffix}"
        if not path.exists():
            TARGETS[target].convert(replace(job, contract=replace(job.contract, profile=profile or None)), path)
        return path

    return path_of


@pytest.mark.parametrize("name", FILES)
def test_a_kernel_that_is_applied_three_times_stands_once(name: str, file: Callable[[str], Path]) -> None:
    assert kernels(file(name)) == (CALLS, 1)


@pytest.mark.parametrize("name", ["onnx-int8", "tflite-int8"])
def test_without_the_rounding_there_would_be_three(
    name: str, job: ConvertJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_repeated, "LEAST", WIDTH * WIDTH * 9 + 1)
    path = tmp_path / f"x{TARGETS[name].suffix}"
    TARGETS[name].convert(replace(job, known={}), path)
    assert kernels(path) == (CALLS, CALLS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_with_a_kernel_for_each_call_gives_the_same_codes(
    name: str, file: Callable[[str], Path], tmp_path: Path
) -> None:
    shared = file(name)
    apart = tmp_path / f"apart{shared.suffix}"
    apart.write_bytes(taken_apart(shared.read_bytes(), shared.suffix))
    assert kernels(apart, same_content=False) == (CALLS, CALLS)
    one, other = session(shared), session(apart)
    for pixels in slices():
        given = fed(pixels, TARGETS[name.partition("/")[0]].layout, one.input)
        assert np.array_equal(one.infer(given), other.infer(given))


@pytest.mark.parametrize("name", FILES)
def test_the_logits_are_those_of_the_network(name: str, file: Callable[[str], Path], job: ConvertJob) -> None:
    images = np.stack(slices())
    reference = KerasPredictor(job.model, job.contract).logits(images)
    assert np.abs(open_artifact(file(name)).logits(images) - reference).max() < 0.05 * np.ptp(reference)


@pytest.mark.parametrize("name", ["onnx-int8", "tflite-int8"])
def test_a_layer_that_stays_in_float_is_not_rounded(
    name: str, job: ConvertJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (tmp_path / f"{place}{TARGETS[name].suffix}" for place in "ab")
    kept = replace(job, float_layers=("shared",), known={})
    TARGETS[name].convert(kept, one)
    monkeypatch.setattr(_repeated, "LEAST", WIDTH * WIDTH * 9 + 1)
    TARGETS[name].convert(replace(kept, known={}), other)
    assert one.read_bytes() == other.read_bytes()


def test_equal_constants_of_a_float_graph_that_was_given_stand_once() -> None:
    keras = load_keras()
    image = keras.Input((SIDE, SIDE, 3), name="image")
    first, second = (keras.layers.Conv2D(3, 3, padding="same", name=f"tied{place}") for place in "ab")
    model = keras.Model(image, keras.layers.Conv2D(1, 1, name="head")(second(keras.layers.ReLU()(first(image)))))
    second.set_weights(first.get_weights())
    told = contract(height=SIDE, width=SIDE)
    proto, layers = _onnx.named_graph(model, told)
    apart = onnx.load_from_string(taken_apart(proto.SerializeToString(), ".onnx"))
    assert shapes(apart) == [(3, 3, 3, 3), (3, 3, 3, 3), (1, 3, 1, 1)]
    given = GraphNetwork(proto=apart, layers=layers, why="it was given as a graph")
    assert shapes(_onnx.float_graph(given, told)) == [(3, 3, 3, 3), (1, 3, 1, 1)]


def test_what_lies_half_way_goes_away_from_zero() -> None:
    layer = load_keras().layers.Conv2D(1, 3, use_bias=False)
    layer.build((None, 8, 8, 1))
    weights = np.array([127, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 2.4, -2.6])
    layer.set_weights([(weights * 0.00123).astype(np.float32).reshape(3, 3, 1, 1)])
    (rounded,) = on_codes(layer).get_weights()
    codes = (rounded.ravel() / rounded.ravel()[0] * 127).round(3)
    assert codes.tolist() == [127, 1, -1, 2, -2, 3, -3, 2, -3]


@pytest.mark.parametrize("reach", [64, 127])
def test_rounded_weights_are_codes_that_reach_the_end(reach: int) -> None:
    layer = load_keras().layers.DepthwiseConv2D(3, depth_multiplier=2, name="deep")
    layer.build((None, 8, 8, 4))
    kernel, bias = np.random.default_rng(3).normal(size=(3, 3, 4, 2)).astype(np.float32), np.ones(8, np.float32)
    kernel[..., 1, 1] = 0
    layer.set_weights([kernel, bias])
    made = on_codes(layer, reach)
    rounded, kept = made.get_weights()
    step = np.abs(kernel).max(axis=(0, 1)) / reach
    codes = rounded / np.where(step > 0, step, 1)
    assert made.name == "deep"
    assert np.array_equal(kept, bias)
    assert np.abs(codes - np.rint(codes)).max() < 1e-4
    assert np.abs(rounded - kernel).max() <= 0.5001 * step.max()
    assert sorted(np.rint(np.abs(codes).max(axis=(0, 1))).ravel().tolist()) == [0] + [reach] * 7
    assert np.array_equal(layer.get_weights()[0], kernel), "the network itself was changed"


def shapes(proto: Any) -> list[tuple[int, ...]]:
    return [tuple(tensor.dims) for tensor in proto.graph.initializer if len(tensor.dims) == 4]


def slices() -> list[NDArray[np.uint8]]:
    """Two random slices and four of a phantom, `(16, 16, 3) uint8`."""
    step = 256 // SIDE
    noise = np.random.default_rng(2).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    return [*noise, *phantom_volume(1, seed=0).images[4:20:4, ::step, ::step]]


def session(path: Path) -> Any:
    if path.suffix == ".tflite":
        return LitertSession(path, threads=1)
    return OnnxSession(path, threads=1, mode=FUSED, numerics="as on Arm")


def fed(pixels: NDArray[np.uint8], layout: str, end: Any) -> NDArray[Any]:
    """Give a slice the codes and the layout that a file takes: `(1, 16, 16, 3)` or `(1, 3, 16, 16)`."""
    codes = {"int8": pixels.astype(int) - 128, "int16": pixels, "float32": pixels / np.float32(255)}[end.dtype]
    batch = codes.astype(end.dtype)[np.newaxis]
    return np.ascontiguousarray(batch if layout == "NHWC" else batch.transpose(0, 3, 1, 2))


def kernels(path: Path, *, same_content: bool = True) -> tuple[int, int]:
    """How many operations read a kernel of the recurrent convolution, and how many such kernels the file holds."""
    if path.suffix == ".tflite":
        flat = _tflite.unpack(path.read_bytes())
        tensors = [t for t in flat.subgraphs[0].tensors if tuple(t.shape) == SHAPE and t.type == 9]
        held = {tensor.buffer: bytes(flat.buffers[tensor.buffer].data) for tensor in tensors}
        return len(tensors), len(set(held.values()) if same_content else held)
    graph = onnx.load(path).graph
    held = {t.name: t.raw_data for t in graph.initializer if tuple(t.dims) == (WIDTH, WIDTH, 3, 3)}
    calls = sum(name in held for node in graph.node for name in node.input)
    return calls, len(held)


def taken_apart(data: bytes, suffix: str) -> bytes:
    """Write a file with a copy of each constant for each tensor or node that reads it."""
    if suffix == ".tflite":
        flat = _tflite.unpack(data)
        for tensor in flat.subgraphs[0].tensors:
            if (content := flat.buffers[tensor.buffer].data) is not None:
                tensor.buffer = _tflite_flat.add_buffer(flat, bytes(content))
        return _tflite.pack(flat)
    proto = onnx.load_from_string(data)
    stored = {tensor.name: tensor for tensor in proto.graph.initializer}
    for place, node in enumerate(proto.graph.node):
        for position, name in enumerate(node.input):
            if name in stored:
                copy = proto.graph.initializer.add()
                copy.CopyFrom(stored[name])
                copy.name = node.input[position] = f"{place}_{position}"
    _onnx.drop_unused(proto.graph)
    return bytes(proto.SerializeToString())
