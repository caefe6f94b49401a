"""What a search rejected is timed beside the artifacts, and its figures find their way back to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeseg.errors import ArtifactError
from edgeseg.results import BudgetResult
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages.build.cells import Attempts, Cell
from edgeseg.stages.build.latency import measure_latencies, with_latencies
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.stages.calibrate.ranges import RecordedRanges
from edgeseg.targets import TARGETS, Target
from edgeseg.targets.ranges import ActivationRanges, LayerRange

RANGES = RecordedRanges(
    variant="v",
    weights_sha256="0",
    data="d",
    calibration_sha256="0",
    slices=1,
    patients=(),
    activations=ActivationRanges(method="min-max", layers=(LayerRange(layer="head", low=0.0, high=1.0),)),
)


@pytest.mark.parametrize("broken", [False, True])
def test_every_point_gets_the_latency_of_its_own_file(
    budget: BudgetResult, tiny_onnx: Callable[..., Path], tmp_path: Path, *, broken: bool
) -> None:
    bare = replace(budget, target="onnx-int8", tried=tuple(replace(p, latency=None) for p in budget.tried))
    tries = tuple(Candidate(recipe=point.recipe, ranges=RANGES) for point in bare.tried)
    searched = Searched(chosen=tries[-1], candidates=tries, result=bare)
    artifact, written = tiny_onnx(), list[str]()

    def write(target: Target, candidate: Candidate, path: Path) -> None:
        assert path.name == "onnx-int8.onnx"
        written.append(candidate.recipe)
        if broken and candidate is tries[0]:
            raise ArtifactError("cannot be written")
        shutil.copy(artifact, path)

    told: list[tuple[str, str]] = []
    attempts = Attempts(lambda step, reason: told.append((step, reason)))
    cell = Cell(target=TARGETS["onnx-int8"], path=artifact, searched=searched)
    spec = BuildSpec(variant=VariantSpec(), targets=("onnx-int8",), out=tmp_path, bench_runs=3)
    found = measure_latencies(spec, [cell], attempts=attempts, write=write)
    assert written == [point.recipe for point in bare.tried[:-1]], "what was taken is there already"
    assert [row.artifact for row in found.rows] == ["onnx-int8"]
    timed = with_latencies(cell, found)
    assert timed.latency == found.rows[0]
    assert timed.searched is not None
    result = timed.searched.result
    names = [None if point.latency is None else point.latency.artifact for point in result.tried]
    assert names == [None if broken else "onnx-int8 tried 1", "onnx-int8 tried 2", "onnx-int8"]
    assert told == ([("benchmark onnx-int8 tried 1", "cannot be written")] if broken else [])
    assert (timed.failure, found.failed) == (None, {})
    assert [point.latency.runs for point in result.tried if point.latency is not None] == [3] * (2 if broken else 3)
