"""int8 files in which named layers stay in float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeseg.errors import UnknownNameError
from edgeseg.targets import TARGETS, ConvertJob, KerasPredictor, open_artifact
from edgeseg.targets.target import quantisable_layers

FLOAT16 = 1
INT8 = [name for name, target in TARGETS.items() if target.needs_calibration and target.precision == "int8"]


def noise(path: Path, trained: Any) -> float:
    exact = KerasPredictor(trained.model, trained.job.contract).logits(trained.images)
    return float(np.square(open_artifact(path).logits(trained.images) - exact).mean())


def mixed(trained: Any, name: str, layers: tuple[str, ...], folder: Path) -> Path:
    path = folder / f"mixed{TARGETS[name].suffix}"
    TARGETS[name].convert(replace(trained.job, float_layers=layers), path)
    return path


@pytest.mark.parametrize("name", INT8)
@pytest.mark.parametrize(
    "layers",
    [("enc1_1_conv",), ("enc1_1_conv", "enc1_2_conv"), ("dec2_up", "dec2_1_conv"), ("dec1_2_conv", "head")],
    ids=["first", "two-in-a-row", "after-transposed", "last"],
)
def test_layers_stay_in_float_and_the_contract_says_so(
    name: str, layers: tuple[str, ...], trained: Any, tmp_path: Path
) -> None:
    path = mixed(trained, name, tuple(reversed(layers)), tmp_path)
    opened = open_artifact(path)
    assert opened.contract.float_layers == layers
    exact = KerasPredictor(trained.model, trained.job.contract).logits(trained.images) > 0
    assert ((opened.logits(trained.images) > 0) != exact).mean() * 1e6 <= TARGETS[name].max_flip_ppm
    assert float_kernels(path) in (
        None,
        [int(np.prod(trained.model.get_layer(layer).kernel.shape)) for layer in layers],
    )


@pytest.mark.parametrize("name", INT8)
def test_what_conversions_share_changes_no_byte(name: str, trained: Any, tmp_path: Path) -> None:
    mixed(trained, name, ("enc1_1_conv",), tmp_path)
    shared = mixed(trained, name, ("head",), tmp_path).read_bytes()
    path = tmp_path / f"alone{TARGETS[name].suffix}"
    TARGETS[name].convert(replace(trained.job, float_layers=("head",), known={}), path)
    assert shared == path.read_bytes()


@pytest.mark.parametrize("name", INT8)
def test_all_layers_in_float_leave_less_noise_and_more_bytes(
    name: str, trained: Any, artifact: Callable[[str], Path], tmp_path: Path
) -> None:
    path = mixed(trained, name, quantisable_layers(trained.model), tmp_path)
    assert noise(path, trained) < 1.05 * noise(artifact(name), trained)
    assert path.stat().st_size > 1.5 * artifact(name).stat().st_size


@pytest.mark.parametrize("name", INT8)
def test_a_shared_convolution_stays_in_float_at_each_of_its_calls(
    name: str, recurrent: ConvertJob, tmp_path: Path
) -> None:
    path = tmp_path / f"r{TARGETS[name].suffix}"
    TARGETS[name].convert(replace(recurrent, float_layers=("shared",)), path)
    images = np.random.default_rng(6).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
    reference = KerasPredictor(recurrent.model, recurrent.contract).logits(images)
    assert np.abs(open_artifact(path).logits(images) - reference).max() < 0.1 * np.ptp(reference)
    assert float_kernels(path) in (None, [4 * 3 * 3 * 4] * 3)


@pytest.mark.parametrize("name", INT8)
def test_an_unknown_layer_is_refused(name: str, trained: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown layer 'enc1_1'; choose one of: .*Did you mean 'enc1_1_conv'"):
        mixed(trained, name, ("enc1_1",), tmp_path)
    assert not list(tmp_path.iterdir())


def float_kernels(path: Path) -> list[int] | None:
    """How many weights the float16 kernels of a file hold, in the order of the operations that read them.

    None for ORT format, which is saved with its constants widened.
    """
    if path.suffix == ".ort":
        return None
    if path.suffix == ".onnx":
        import onnx

        graph = onnx.load(path).graph
        sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
        casts = {node.output[0]: sizes[node.input[0]] for node in graph.node if node.op_type == "Cast"}
        return [casts[node.input[1]] for node in graph.node if node.op_type == "Conv" and node.input[1] in casts]
    from edgeseg.targets import _tflite, _tflite_flat

    flat = _tflite.unpack(path.read_bytes())
    (graph,) = flat.subgraphs
    halves = {
        int(op.outputs[0]): int(np.prod(graph.tensors[op.inputs[0]].shape))
        for op in graph.operators
        if graph.tensors[op.inputs[0]].type == FLOAT16
    }
    names = zip(_tflite_flat.operations(flat), graph.operators, strict=True)
    return [halves[int(op.inputs[1])] for name, op in names if "CONV" in name and int(op.inputs[1]) in halves]
