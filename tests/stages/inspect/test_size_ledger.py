from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeseg.errors import ArtifactError
from edgeseg.results import BuildResult
from edgeseg.specs import Contract, VariantSpec
from edgeseg.stages.inspect.size_ledger import _peak_rss_bytes, _whole_parameters, size_ledger
from edgeseg.variants import build_model, census, slots
from edgeseg.workers.solo import SoloJob

MakeBuild = Callable[..., BuildResult]
WEIGHTS = 16 * 3 * 3 * 3


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    """One convolution with float32 kernels and no contract."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kernel = numpy_helper.from_array(np.zeros((16, 3, 3, 3), np.float32), "kernel")
    node = helper.make_node("Conv", ["image", "kernel"], ["logits"], pads=[1, 1, 1, 1])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, 256, 256])
        for name, channels in (("image", 3), ("logits", 16))
    ]
    graph = helper.make_graph([node], "main", [ends[0]], [ends[1]], [kernel])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return path


def test_the_steps_go_down_to_the_file(make_build: MakeBuild, onnx_file: Path) -> None:
    build = make_build()
    size = onnx_file.stat().st_size
    row = replace(build.artifacts[0], path=onnx_file.name, target="onnx-fp32", size_bytes=size, parameters=WEIGHTS)
    found = size_ledger(build, row, onnx_file.parent)
    assert found is not None
    assert build.baseline is not None
    assert [step.size_bytes for step in found.steps] == [
        build.baseline.size_bytes,
        build.baseline.weights_size_bytes,
        4 * WEIGHTS,
        4 * WEIGHTS,
        size,
    ]
    assert found.steps[-2].name == "weights as fp32"
    assert found.tensor_bytes + found.container_bytes == size
    assert found.peak_rss_bytes is None or found.peak_rss_bytes > 10_000_000


def test_weights_of_a_given_file_are_counted_and_not_a_file(make_build: MakeBuild, onnx_file: Path) -> None:
    build = make_build()
    assert build.baseline is not None
    row = replace(build.artifacts[0], path=onnx_file.name, target="onnx-fp32", parameters=WEIGHTS)
    how = []
    for given in (False, True):
        found = size_ledger(replace(build, baseline=replace(build.baseline, given=given)), row, onnx_file.parent)
        assert found is not None
        how.append(found.steps[1].how)
    assert how == ["the size of the file", "parameters x 4 bytes"]


def test_an_artifact_that_failed_has_no_ledger_and_one_that_is_gone_is_an_error(
    make_build: MakeBuild, tmp_path: Path
) -> None:
    build = make_build()
    row = build.artifacts[0]
    assert size_ledger(build, replace(row, path=""), tmp_path) is None
    assert size_ledger(replace(build, baseline=None), row, tmp_path) is None
    with pytest.raises(ArtifactError, match="is missing, so its bytes cannot be told; build it again"):
        size_ledger(build, row, tmp_path)


def test_removed_channels_are_a_step_of_their_own() -> None:
    whole = VariantSpec(name="alphax", alpha=0.0625, stem="half")
    pruned = replace(whole, widths=(2,) * len(slots(whole)))
    assert _whole_parameters(whole) == 0
    assert _whole_parameters(pruned) == census(build_model(whole)).parameters


@pytest.mark.parametrize(
    ("names", "count"), [(("pre", "flair"), 3), (("t1", "t1ce", "t2", "flair"), 4)], ids=["two of three", "four"]
)
def test_memory_is_taken_on_a_slice_with_the_channels_that_a_runner_is_given(
    names: tuple[str, ...], count: int, tiny_contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[int, ...]] = []

    def alone(job: SoloJob) -> Any:
        given.append(np.load(job.slices, allow_pickle=False).shape)
        return SimpleNamespace(peak_rss_bytes=1)

    monkeypatch.setitem(_peak_rss_bytes.__globals__, "run_alone", alone)
    found: Any = SimpleNamespace(contract=replace(tiny_contract, channels=names))
    assert _peak_rss_bytes(Path("a.onnx"), found) == 1
    assert given == [(1, tiny_contract.height, tiny_contract.width, count)]
