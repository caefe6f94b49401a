"""The latency of a build's artifacts, and of what searches within a budget tried and rejected, in one run."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edgeseg.place import scratch
from edgeseg.results import LatencyResult
from edgeseg.specs import BuildSpec
from edgeseg.stages.bench import time_artifacts
from edgeseg.stages.build.cells import Attempts, Cell, Failure
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.stages.predict import Predictor
from edgeseg.targets import Target, open_artifact

Write = Callable[[Target, Candidate, Path], None]
"""Writes a candidate's file at a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """What one interleaved run found.

    `rows` are by target, `tried` by the name that `_key` gives; `failed` has the status of each target that cannot run.
    """

    rows: tuple[LatencyResult, ...]
    tried: tuple[LatencyResult, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)


def measure_latencies(spec: BuildSpec, cells: Sequence[Cell], *, attempts: Attempts, write: Write) -> Latencies:
    """Time artifacts, and what searches rejected, which is written anew for it; what cannot be run is left out.

    Args:
        spec: of the build.
        cells: the artifacts that stand, with what was tried for them within a budget.
        attempts: told of what cannot be run.
        write: writes a candidate's file.
    """
    with scratch("rejected") as folder:
        tried: dict[str, Predictor | Failure] = {}
        for cell in cells:
            for number, candidate in _rejected(cell.searched):
                path = folder / str(number) / f"{cell.name}{cell.target.suffix}"
                path.parent.mkdir(exist_ok=True)
                work = functools.partial(_written, write, cell.target, candidate, path, spec.threads)
                key = _key(cell.name, number)
                tried[key] = attempts.attempt(key, "benchmark", work)
        own = {
            c.name: attempts.attempt(c.name, "benchmark", functools.partial(_ready, c.file, spec.threads))
            for c in cells
        }
        opened = {name: found for name, found in (own | tried).items() if not isinstance(found, Failure)}
        rows = time_artifacts(opened, runs=spec.bench_runs, budget_s=spec.bench_budget_s, seed=spec.seed)
    return Latencies(
        rows=tuple(row for row in rows if row.artifact in own),
        tried=tuple(row for row in rows if row.artifact in tried),
        failed={name: found.status for name, found in own.items() if isinstance(found, Failure)},
    )


def with_latencies(cell: Cell, found: Latencies) -> Cell:
    """Put the latencies into an artifact and what was tried for it; what was taken has that of the artifact."""
    known = {row.artifact: row for row in (*found.rows, *found.tried)}
    timed = replace(cell, latency=known.get(cell.name), failure=cell.failure or found.failed.get(cell.name))
    if cell.searched is None:
        return timed
    result = cell.searched.result
    tried = tuple(
        replace(
            point,
            latency=known.get(cell.name if point.recipe == result.chosen else _key(cell.name, number)),
        )
        for number, point in enumerate(result.tried, start=1)
    )
    return replace(timed, searched=replace(cell.searched, result=replace(result, tried=tried)))


def _rejected(searched: Searched | None) -> list[tuple[int, Candidate]]:
    if searched is None:
        return []
    return [(n, c) for n, c in enumerate(searched.candidates, start=1) if c is not searched.chosen]


def _key(target: str, number: int) -> str:
    return f"{target} tried {number}"


def _written(write: Write, target: Target, candidate: Candidate, path: Path, threads: int) -> Predictor:
    write(target, candidate, path)
    return _ready(path, threads)


def _ready(path: Path, threads: int) -> Predictor:
    """Open an artifact with the kernels that a user gets, and see that it runs."""
    opened = open_artifact(path, threads=threads, numerics="fast")
    image = opened.contract.image
    opened.logits(np.zeros((1, image.height, image.width, len(image.channels)), np.uint8))
    return opened
