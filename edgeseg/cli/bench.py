"""`edgeseg bench`: the latency of one or more artifacts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def bench(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Artifacts: .onnx, .tflite or .hdf5.")],
    runs: Annotated[int, typer.Option(help="Counted runs per artifact.")] = 100,
    warmup: Annotated[int, typer.Option(help="Runs per artifact before any is counted.")] = 10,
    threads: Annotated[int, typer.Option(help="Threads of the runtime.")] = 2,
    budget_s: Annotated[float | None, typer.Option(help="Seconds of counted runs per artifact, at most.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the phantom slice that is run.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Time single slices through artifacts, in interleaved rounds so that drift of the machine hits all alike."""
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.benchmark import BenchmarkResult, benchmark
    from edgeseg.stages.environment import environment, load_average
    from edgeseg.targets import open_artifact

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    if len(set(files)) < len(files):
        raise OptionError("a file was given twice; name each artifact once")
    predictors = {str(path): open_artifact(path, threads=threads, numerics="fast") for path in files}
    load = load_average()
    with counted("timing") as progress:
        latencies = benchmark(predictors, runs=runs, warmup=warmup, budget_s=budget_s, seed=seed, progress=progress)
    result = BenchmarkResult(latencies=latencies, seed=seed, load_average=load, environment=environment())
    if as_json:
        typer.echo(to_json(result))
        return
    from edgeseg.stages.tables import benchmark_table

    show(benchmark_table(result))
