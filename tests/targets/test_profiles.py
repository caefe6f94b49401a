from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper

from edgeseg.errors import OptionError
from edgeseg.runtime import Segmenter
from edgeseg.runtime.onnx_session import FUSED, open_onnx
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages.build.inputs import open_inputs
from edgeseg.targets import TARGETS


@pytest.fixture(scope="module")
def x86(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("x86") / "onnx-int8.onnx"
    TARGETS["onnx-int8"].convert(replace(trained.job, contract=replace(trained.job.contract, profile="x86")), path)
    return path


def test_x86_has_unsigned_ends_and_weights_of_seven_bits(x86: Path) -> None:
    proto = onnx.load(x86)
    ends = (proto.graph.input[0], proto.graph.output[0])
    assert {end.type.tensor_type.elem_type for end in ends} == {onnx.TensorProto.UINT8}
    kernels = [numpy_helper.to_array(tensor) for tensor in proto.graph.initializer if len(tensor.dims) == 4]
    assert {kernel.dtype.name for kernel in kernels} == {"int8"}
    assert max(int(np.abs(kernel.astype(int)).max()) for kernel in kernels) == 64
    assert 2 * 255 * 64 < 2**15
    meaning = {entry.key: entry.value for entry in proto.metadata_props}
    assert meaning["edgeseg.input_zero_point"] == "0"


def test_x86_is_the_same_in_the_default_graph_and_in_the_integer_graph(x86: Path, trained: Any) -> None:
    raw = np.ascontiguousarray(trained.images[:1].transpose(0, 3, 1, 2))
    plain = ort.InferenceSession(str(x86), providers=["CPUExecutionProvider"])
    fused = open_onnx(x86, mode=FUSED, threads=1)
    one, two = (session.run(None, {"image": raw})[0] for session in (plain, fused))
    assert one.dtype == np.uint8
    assert np.array_equal(one, two)


def test_the_runner_takes_x86_as_it_takes_arm(x86: Path, trained: Any) -> None:
    segmenter = Segmenter.load(x86)
    fed = segmenter.encoded(trained.images[:1])
    assert np.array_equal(fed.transpose(0, 2, 3, 1), (trained.images[:1].astype(int) - 128))
    masks = segmenter.logits(trained.images) > segmenter.contract.logit_threshold
    floats = np.asarray(trained.model(trained.images.astype(np.float32) / 255, training=False))[..., 0]
    assert np.mean(masks != (floats > segmenter.contract.logit_threshold)) < 0.01
    assert 0 < masks.mean() < 1


def test_the_form_without_a_profile_is_arms(trained: Any, tmp_path: Path) -> None:
    target = TARGETS["onnx-int8"]
    for name in (None, "arm"):
        target.convert(
            replace(trained.job, contract=replace(trained.job.contract, profile=name)), tmp_path / f"{name}.onnx"
        )
    weights = [
        [numpy_helper.to_array(t).tobytes() for t in onnx.load(tmp_path / f"{name}.onnx").graph.initializer]
        for name in (None, "arm")
    ]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("target", TARGETS.values(), ids=lambda target: target.name)
def test_int8_has_profiles_and_float_has_none(target: Any) -> None:
    assert (target.precision == "int8") == bool(target.profiles)
    assert target.profile("arm") == ("arm" if target.profiles else None)


def test_an_unknown_profile_is_refused(trained: Any) -> None:
    with pytest.raises(OptionError, match="profile is 'riscv'; choose one of: arm, x86"):
        replace(trained.job.contract, profile="riscv")


def test_a_profile_that_would_change_nothing_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    spec = BuildSpec(variant=VariantSpec(), targets=("tflite-int8", "onnx-fp32"), out=tmp_path / "no", profile="x86")
    with pytest.raises(OptionError, match=r"none of the targets asked for \(tflite-int8, onnx-fp32\).*onnx-int8"):
        open_inputs(spec)
    assert not spec.out.exists()
