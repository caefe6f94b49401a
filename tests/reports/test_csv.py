from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

from edgeseg.reports.csv import COLUMNS, spreadsheet
from edgeseg.reports.summary import summarise
from edgeseg.results import BuildResult
from tests._classes import of_classes

MakeBuild = Callable[..., BuildResult]


def test_one_line_per_artifact_with_plain_numbers(make_build: MakeBuild) -> None:
    build = make_build()
    rows = list(csv.DictReader(io.StringIO(spreadsheet(summarise(build)))))
    assert [row["target"] for row in rows] == [artifact.target for artifact in build.artifacts]
    for row, artifact in zip(rows, build.artifacts, strict=True):
        assert tuple(row) == COLUMNS
        assert int(row["size_bytes"]) == artifact.size_bytes
        if artifact.evaluation is not None:
            assert float(row["dice_mean"]) == artifact.evaluation.dice.mean
        if artifact.latency is not None:
            assert float(row["latency_ms_p50"]) == artifact.latency.latency_ms_p50


def test_each_of_several_classes_has_its_own_dice(make_build: MakeBuild) -> None:
    build = make_build()
    artifacts = (of_classes(build.artifacts[0], "whole", "core", lost={"core": 0.1}), *build.artifacts[1:])
    first, *others = csv.DictReader(io.StringIO(spreadsheet(summarise(replace(build, artifacts=artifacts)))))
    scored = artifacts[0].evaluation
    assert scored is not None
    for one in scored.classes:
        found = [float(first[f"{one.name}: {column}"]) for column in ("dice_mean", "dice_low", "dice_high")]
        assert found == [one.dice.mean, one.dice.low, one.dice.high]
    assert {row["core: dice_mean"] for row in others} <= {""}


def test_what_was_not_measured_is_empty(make_build: MakeBuild) -> None:
    build = make_build()
    bare = replace(build.artifacts[0], evaluation=None, latency=None, parity=None, dice_delta_to_float=None)
    (row,) = csv.DictReader(io.StringIO(spreadsheet(summarise(replace(build, artifacts=(bare,))))))
    assert {row[name] for name in ("dice_mean", "dice_median", "flips_ppm", "latency_ms_p50", "runtime")} == {""}
