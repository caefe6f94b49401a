"""`edgeseg bench`: time, cold start and memory of one or more model files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._model import artifact, artifacts_of
from edgeseg.cli._options import contract_option, json_option


def bench(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Artifacts (.onnx, .ort, .tflite, .hdf5), peers without a contract, or networks by name: light for "
            "all of its files that run here, light/onnx-int8 for one.",
            autocompletion=models,
        ),
    ],
    threads: Annotated[str, typer.Option(help="Threads of the runtime; several with commas: 1,2.")] = "2",
    runs: Annotated[int, typer.Option(help="Counted runs of each file.")] = 100,
    warmup: Annotated[int, typer.Option(help="Runs of each file before any is counted.")] = 10,
    budget_s: Annotated[float | None, typer.Option(help="Seconds of counted runs of each file, at most.")] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Also say how many times as fast as this file the others are; repeatable."),
    ] = None,
    volume: Annotated[
        int, typer.Option(metavar="N", help="Also run a volume of N slices through each file, alone, to see it drift.")
    ] = 0,
    layers: Annotated[
        bool, typer.Option("--layers", help="Time each operation of one file instead, beside the limits of this host.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the phantom that is run, and of the bootstrap.")] = 0,
    contract: Annotated[
        Path | None,
        contract_option("The contract, JSON or TOML, of those files that carry none; without one they are peers."),
    ] = None,
    emulated: Annotated[
        bool, typer.Option("--emulated", help="Run under an emulator all the same; no time is called a latency.")
    ] = False,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Time single slices through model files, in interleaved rounds so that drift of the machine hits all alike.

    Load time, first inference and peak memory come from a process of each file's own. Compare files within one run of
    this command, not across runs. docs/reference/bench.md says how each figure is taken.
    """
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.stages.bench import BenchSpec
    from edgeseg.stages.bench import bench as run

    files = artifacts_of(files)
    if layers:
        _layers(files, threads, runs, warmup, seed, emulated=emulated, as_json=as_json,
                others=bool(reference or volume or budget_s or contract))  # fmt: skip
        return
    references = tuple(dict.fromkeys(map(artifact, reference or ())))
    spec = BenchSpec(
        files=(*files, *(path for path in references if path not in files)),
        threads=_thread_counts(threads),
        runs=runs,
        warmup=warmup,
        budget_s=budget_s,
        references=references,
        volume=volume,
        seed=seed,
        emulated=emulated,
        contract=contract,
        command=shlex.join(["edgeseg", *sys.argv[1:]]),
    )
    with counted("timing") as progress:
        result = run(spec, progress=progress)
    if as_json:
        typer.echo(to_json(result))
        return
    from edgeseg.reports.bench import bench_table

    show(bench_table(result))


def _layers(
    files: list[Path], threads: str, runs: int, warmup: int, seed: int, *, emulated: bool, as_json: bool, others: bool
) -> None:
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.bench import LayersSpec, bench_device, bench_layers

    counts = _thread_counts(threads)
    if len(files) != 1 or len(counts) != 1:
        raise OptionError(
            f"{len(files)} files and {len(counts)} numbers of threads were given; --layers takes one of each"
        )
    if others:
        raise OptionError(
            "--layers goes with none of --reference, --volume, --contract and --budget-s; leave those out"
        )
    command = shlex.join(["edgeseg", *sys.argv[1:]])
    spec = LayersSpec(file=files[0], threads=counts[0], runs=runs, warmup=warmup, seed=seed, command=command)
    device = bench_device(emulated=emulated)
    with counted("timing layers") as progress:
        result = bench_layers(spec, device, progress=progress)
    if as_json:
        typer.echo(to_json(result))
        return
    from edgeseg.reports.bench_layers import layers_table

    show(layers_table(result))


def _thread_counts(text: str) -> tuple[int, ...]:
    from edgeseg.errors import OptionError

    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(f"threads is '{text}'; give a number, or several with commas such as 1,2") from error
