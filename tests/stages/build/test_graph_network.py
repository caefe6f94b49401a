"""A build that starts from a network that stays an ONNX graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.open import open_dataset
from edgeseg.errors import ArtifactError
from edgeseg.reports.page import page
from edgeseg.reports.summary import summarise
from edgeseg.results import BuildResult
from edgeseg.runtime import Segmenter, read_contract
from edgeseg.specs import BuildSpec
from edgeseg.stages.adopt import adopt
from edgeseg.stages.build import build
from edgeseg.stages.calibrate import ranges_or_measured, sensitivity
from edgeseg.targets import TARGETS
from tests.foreign.graph._gated import gated

MADE = ("onnx-fp32", "onnx-fp16", "onnx-dynamic", "onnx-int8", "ort-fp32", "ort-int8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    adopt(gated(folder / "theirs.onnx", apart=True), folder / "run")
    return folder / "run"


def spec(run: Path, *targets: str) -> BuildSpec:
    return BuildSpec(
        variant=read_checkpoint(run).header.variant,
        checkpoint=run,
        targets=targets,
        out=run.parent / "build",
        phantom_patients=1,
        bench_runs=2,
        bench_budget_s=0.05,
    )


@pytest.fixture(scope="module")
def built(run: Path) -> BuildResult:
    return build(spec(run, "all"))


def test_the_targets_of_a_graph_are_those_that_say_so() -> None:
    assert tuple(sorted(name for name, target in TARGETS.items() if target.from_graph)) == tuple(sorted(MADE))


def test_everything_for_onnx_runtime_is_made_of_the_graph(built: BuildResult) -> None:
    rows = {row.target: row for row in built.artifacts}
    assert next(iter(rows)) == "onnx-fp32"
    assert rows["onnx-fp32"].parity is not None
    assert (rows["onnx-fp32"].parity.flipped_pixels, rows["onnx-fp32"].parity.reference) == (0, "theirs.onnx")
    assert not [name for name in MADE if rows[name].status.startswith("FAILED")]
    assert rows["onnx-int8"].float_layers == ("gate.Where",)
    assert rows["onnx-int8"].dice_delta_to_float is not None
    assert rows["onnx-fp32"].dice_delta_to_float is None


def test_what_needs_keras_drops_out_with_the_operation(built: BuildResult) -> None:
    (row,) = (row for row in built.artifacts if row.target == "tflite-int8")
    assert row.status == "not made: edgeseg has no Keras layer for Greater (1), Where (1)"


def test_what_needs_keras_is_refused_by_name(run: Path) -> None:
    with pytest.raises(ArtifactError, match=r"^tflite-int8 is made from a Keras network, and .*Where \(1\)"):
        build(spec(run, "tflite-int8", "onnx-int8"))


def test_its_reports_can_be_written(built: BuildResult) -> None:
    assert "theirs.onnx" in page(built)
    assert summarise(built).rows


@pytest.mark.parametrize("target", ["onnx-int8", "ort-int8"])
def test_its_files_are_sealed_and_give_their_golden_mask(built: BuildResult, run: Path, target: str) -> None:
    (row,) = (row for row in built.artifacts if row.target == target)
    file = run.parent / "build" / row.path
    contract = read_contract(file)
    assert (contract.target, contract.layout) == (target, "NCHW")
    assert Segmenter.load(file).self_test().passed


def test_its_convolutions_can_stay_in_float(run: Path, tiny_lgg: Path) -> None:
    dataset = open_dataset(tiny_lgg)
    checkpoint = read_checkpoint(run)
    model, recorded = ranges_or_measured(checkpoint, dataset, slices=4, seed=0)
    found = sensitivity(checkpoint, model, recorded, dataset, dataset.patients[:1], target="onnx-int8", seed=0)
    assert [layer.layer for layer in found.layers] == ["first.Conv", "first.Norm", "last.Conv"]
