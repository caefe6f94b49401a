"""The latency of a build's artifacts, and of what searches within a budget tried and rejected, in one run."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgeseg.results import BudgetResult, LatencyResult
from edgeseg.specs import BuildSpec
from edgeseg.stages.bench import benchmark
from edgeseg.stages.build.cells import Cells
from edgeseg.stages.build.search import Candidate, Searched
from edgeseg.stages.predict import Predictor
from edgeseg.targets import Target, get, open_artifact

Write = Callable[[Target, Candidate, Path], None]
"""Writes a candidate's file at a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latencies:
    """What one interleaved run found: `rows` by target, `tried` by the name that `_key` gives."""

    rows: tuple[LatencyResult, ...]
    tried: tuple[LatencyResult, ...] = ()

    def of_artifacts(self) -> dict[str, LatencyResult]:
        """Return the latencies of the artifacts by target."""
        return {row.artifact: row for row in self.rows}


def measure_latencies(
    spec: BuildSpec, paths: Mapping[str, Path], searches: Sequence[Searched], *, cells: Cells, write: Write
) -> Latencies:
    """Time artifacts, and the rejected files, which are written anew for it; what cannot be run is left out.

    Args:
        spec: of the build.
        paths: of the artifacts, by target.
        searches: what was tried within a budget.
        cells: told of what cannot be run.
        write: writes a candidate's file.
    """
    with tempfile.TemporaryDirectory(prefix="edgeseg-tried-") as folder:
        tried = {}
        for searched in searches:
            target = get(searched.result.target)
            for number, candidate in _rejected(searched):
                path = Path(folder) / str(number) / f"{target.name}{target.suffix}"
                path.parent.mkdir(exist_ok=True)
                work = functools.partial(_written, write, target, candidate, path, spec.threads)
                tried[_key(target.name, number)] = cells.attempt(_key(target.name, number), "benchmark", work)
        own = {
            name: cells.attempt(name, "benchmark", functools.partial(_ready, path, spec.threads))
            for name, path in paths.items()
        }
        opened = {name: found for name, found in (own | tried).items() if found is not None}
        rows = benchmark(opened, runs=spec.bench_runs, budget_s=spec.bench_budget_s, seed=spec.seed)
    return Latencies(
        rows=tuple(row for row in rows if row.artifact in own),
        tried=tuple(row for row in rows if row.artifact in tried),
    )


def with_latencies(budgets: Iterable[BudgetResult], found: Latencies) -> tuple[BudgetResult, ...]:
    """Put the latencies into the points; what was taken has that of its artifact."""
    known = found.of_artifacts() | {row.artifact: row for row in found.tried}

    def names(result: BudgetResult) -> list[str]:
        numbered = enumerate(result.tried, start=1)
        return [result.target if p.recipe == result.chosen else _key(result.target, n) for n, p in numbered]

    return tuple(
        replace(
            result,
            tried=tuple(
                replace(point, latency=known.get(name)) for point, name in zip(result.tried, names(result), strict=True)
            ),
        )
        for result in budgets
    )


def _rejected(searched: Searched) -> list[tuple[int, Candidate]]:
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
