from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace

from edgeseg.reports.csv import COLUMNS, spreadsheet
from edgeseg.reports.summary import summarise
from edgeseg.results import BuildResult

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


def test_what_was_not_measured_is_empty(make_build: MakeBuild) -> None:
    build = make_build()
    bare = replace(build.artifacts[0], evaluation=None, latency=None, parity=None, dice_delta_to_float=None)
    (row,) = csv.DictReader(io.StringIO(spreadsheet(summarise(replace(build, artifacts=(bare,))))))
    assert {row[name] for name in ("dice_mean", "dice_median", "flips_ppm", "latency_ms_p50", "runtime")} == {""}
