"""Candidate shapes of networks by the clock, before anything is trained: what each costs on Arm and on this host.

Prints a Markdown table: per shape its parameters and multiply-accumulates, the instructions of an inference of its int8
files on an emulated Cortex-A76, their milliseconds on this host, each file alone in a process, and their bytes. Weights
are drawn, which decides nothing about time; ranges come from a phantom. Close other work first.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from alone import QUANTILE_SAID, milliseconds, seconds_alone

from edgeseg import networks
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.results import Census
from edgeseg.specs import Contract, VariantSpec
from edgeseg.stages.bench import phantom_slice
from edgeseg.stages.environment import environment, load_average
from edgeseg.targets import ConvertJob, get
from edgeseg.targets.ranges import measure
from edgeseg.variants import build_model, census
from edgeseg.variants.initial import draw_kernels

sys.path.insert(0, str(Path(__file__).parent / "device"))

FORMATS, RUNTIMES = ("tflite-int8", "onnx-int8"), ("onnxruntime", "ai-edge-litert")
HEAD = (
    "shape",
    "parameters",
    "M MACs",
    *(f"{name}, million instructions" for name in FORMATS),
    *(f"{name}, ms" for name in FORMATS),
    *(f"{name}, kB" for name in FORMATS),
)


def _of(levels: str, convolutions: str) -> VariantSpec:
    own = tuple(map(int, levels.split(".")))
    return VariantSpec(alpha=1.0, levels=own, convolutions=tuple(map(int, convolutions)))


LIGHT = (
    VariantSpec(),
    *(
        VariantSpec(convolutions=tuple(map(int, counts)))
        for counts in ("12222", "11222", "11122", "11111", "122222220")
    ),
    _of("8.32.48.64.96", "11222"),
    _of("8.16.32.64.128", "11112"),
    _of("8.16.32.64.144", "11112"),
    _of("8.16.32.64.144", "111121110"),
)
MICRO = (
    _of("4.8.16.24.32", "11111"),
    _of("4.4.8.16.48", "11112"),
    _of("4.8.16.24.32", "111111110"),
    _of("4.4.8.16.48", "111121110"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One shape with its int8 files, in the order of `FORMATS`."""

    spec: VariantSpec
    census: Census
    files: tuple[Path, ...]


def main() -> None:
    """Build every candidate, count, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=150, help="of each process")
    parser.add_argument("--processes", type=int, default=3, help="of each file, in turns")
    parser.add_argument("--into", type=Path, metavar="FILE", help="put the table between the marks of a Markdown file")
    parser.add_argument("--no-arm", action="store_true", help="leave the instructions out")
    given = parser.parse_args()
    shipped = (network.record.spec for network in networks.every() if not network.own)
    with tempfile.TemporaryDirectory(prefix="edgeseg-shapes-") as folder:
        made = [_made(spec, Path(folder)) for spec in dict.fromkeys((*LIGHT, *MICRO, *shipped))]
        files = [path for candidate in made for path in candidate.files]
        load = load_average()
        ms = _milliseconds(files, runs=given.runs, processes=given.processes)
        counts = dict.fromkeys(files, 0) if given.no_arm else _counted(files, Path(folder))
        rows = [tuple(_row(candidate, counts, ms)) for candidate in made]
    here = environment()
    table = "\n".join(
        (
            *markdown_table_lines(HEAD, rows),
            "",
            f"- Drawn weights, ranges of a phantom. Milliseconds: {given.processes} processes of {given.runs} runs,",
            f"  one thread, each file alone: {QUANTILE_SAID}.",
            f"- {here.cpu}, {here.os}; onnxruntime {here.versions[RUNTIMES[0]]} with its default options,",
            f"  ai-edge-litert {here.versions[RUNTIMES[1]]}; load before {load}.",
        )
    )
    print(table)
    if given.into is not None:
        splice(table, given.into)


def _made(spec: VariantSpec, folder: Path) -> Candidate:
    print(f"building {spec.slug}", file=sys.stderr, flush=True)
    model = drawn(spec)
    image = (phantom_slice(seed=0) / np.float32(255)).astype(np.float32)
    ranges = measure(model, [image])
    files = []
    for name in FORMATS:
        target = get(name)
        contract = Contract(variant=spec, tier="custom", target=name, layout=target.layout, trained_on="none")
        files.append(folder / f"{spec.slug}-{name}{target.suffix}")
        target.convert(ConvertJob(model=model, contract=contract, ranges=ranges), files[-1])
    return Candidate(spec=spec, census=census(model), files=tuple(files))


def drawn(spec: VariantSpec) -> Any:
    """Build a network with drawn weights."""
    model = build_model(spec)
    draw_kernels(model, seed=0)
    return model


def _milliseconds(files: Sequence[Path], *, runs: int, processes: int) -> dict[Path, float]:
    seconds: dict[Path, list[float]] = {path: [] for path in files}
    for turn in range(processes):
        print(f"timing {len(files)} files, turn {turn + 1}", file=sys.stderr, flush=True)
        for path in files:
            seconds[path].extend(seconds_alone(path, runs))
    return {path: milliseconds(own) for path, own in seconds.items()}


def _counted(files: Sequence[Path], folder: Path) -> dict[Path, int]:
    from instructions import instructions

    print(f"counting instructions of {len(files)} files", file=sys.stderr, flush=True)
    return dict(zip(files, instructions(files, folder), strict=True))


def _row(candidate: Candidate, counts: dict[Path, int], ms: dict[Path, float]) -> Iterator[str]:
    yield from (candidate.spec.slug, f"{candidate.census.parameters:,}", f"{candidate.census.macs / 1e6:.0f}")
    yield from (f"{counts[path] / 1e6:.1f}" for path in candidate.files)
    yield from (f"{ms[path]:.2f}" for path in candidate.files)
    yield from (f"{path.stat().st_size / 1e3:.0f}" for path in candidate.files)


if __name__ == "__main__":
    main()
