"""`edgeseg bench`: time, cold start and memory of model files, interleaved, beside what the host could do at best."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.errors import OptionError
from edgeseg.metrics import median_ratio_bounds
from edgeseg.place import scratch
from edgeseg.progress import Progress, Say
from edgeseg.results import BenchCell, BenchResult, GemmRate, SpeedRatio, Sustained
from edgeseg.runtime import Segmenter
from edgeseg.runtime.model_files import model_sha256, model_size_bytes
from edgeseg.runtime.plain import PlainModel
from edgeseg.specs import LGG, check_seed
from edgeseg.stages.bench.alone import gemm_rate, run_alone
from edgeseg.stages.bench.device import bench_device
from edgeseg.stages.bench.interleave import Call, Timings, check_counts, interleave
from edgeseg.stages.bench.latency import one_slice, phantom_images
from edgeseg.targets import KerasPredictor
from edgeseg.targets.macs import count_macs
from edgeseg.targets.peers import contracts_of, open_for_timing
from edgeseg.variants import census
from edgeseg.workers.solo import SoloJob, SoloResult

MIN_PAIRS = 5
"""Rounds below which a ratio gets no interval."""
MIN_VOLUME = 3
PERCENTILES = (50, 90, 95, 99)
Opened = Segmenter | KerasPredictor | PlainModel


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSpec:
    """What `edgeseg bench` is asked for; see there. `volume` is a number of slices, 0 for no sustained run.

    `contract` is that of those files that carry none; one that names a model by its SHA-256 is that model's alone.
    """

    files: tuple[Path, ...]
    threads: tuple[int, ...] = (2,)
    runs: int = 100
    warmup: int = 10
    budget_s: float | None = None
    references: tuple[Path, ...] = ()
    volume: int = 0
    seed: int = 0
    emulated: bool = False
    contract: Path | None = None
    command: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before anything is opened."""
        check_counts(self.runs, self.warmup, self.budget_s)
        if not self.files:
            raise OptionError("no file was given; name at least one .onnx, .tflite or .hdf5")
        if len(set(self.files)) < len(self.files):
            raise OptionError("a file was given twice; name each artifact once")
        if absent := [path for path in self.references if path not in self.files]:
            raise OptionError(f"the reference {absent[0]} is not among the files; all run in the same rounds")
        if not self.threads or len(set(self.threads)) < len(self.threads):
            raise OptionError("name each number of threads once, and at least one")
        if min(self.threads) < 1:
            raise OptionError(f"threads is {min(self.threads)}; at least 1 is needed")
        if self.volume and self.volume < MIN_VOLUME:
            raise OptionError(f"the volume has {self.volume} slices; at least {MIN_VOLUME} are needed to see a drift")
        check_seed(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Cell:
    """One file at one number of threads, open."""

    path: Path
    threads: int
    model: Opened
    contract: Path | None

    @property
    def key(self) -> str:
        return cell_key(self.path, self.threads)


def bench(spec: BenchSpec, *, progress: Progress | None = None, say: Say | None = None) -> BenchResult:
    """Measure model files.

    Each file at each number of threads is a cell. Load time, first inference and memory of a cell come from a process
    that holds it alone; then all cells take turns, one slice each; then, with `spec.volume`, each runs a whole volume
    alone.

    Args:
        spec: what to measure.
        progress: called after each call while the cells take turns.
        say: called with a line before each step.

    Raises:
        OptionError: under an emulator, unless `spec.emulated`.
        ArtifactError: when a file is missing, damaged or cannot be run.
        ContractError: when a contract cannot be honoured.
        MissingExtraError: when what runs a file is not installed.
    """
    told = say or (lambda _line: None)
    device = bench_device(emulated=spec.emulated)
    own = contracts_of(spec.files, spec.contract)
    cells = [
        _Cell(path=f, threads=t, model=open_for_timing(f, threads=t, contract=own[f]), contract=own[f])
        for f in spec.files
        for t in spec.threads
    ]
    images = phantom_images(seed=spec.seed, channels=_channels(cells))
    middle = images[len(images) // 2]
    with scratch("bench") as folder:
        one, whole = folder / "slice.npy", folder / "volume.npy"
        np.save(one, middle[np.newaxis], allow_pickle=False)
        np.save(whole, images, allow_pickle=False)
        before = [gemm_rate(threads) for threads in spec.threads]
        alone = {cell.key: _alone(cell, one, 0, told) for cell in cells}
        calls = {cell.key: _call(cell.model, middle) for cell in cells}
        timed = interleave(calls, runs=spec.runs, warmup=spec.warmup, budget_s=spec.budget_s, progress=progress)
        after = [gemm_rate(threads) for threads in spec.threads]
        volumes = {cell.key: _alone(cell, whole, spec.volume, told) for cell in cells} if spec.volume else {}
    best = tuple(max(pair, key=lambda rate: rate.macs_per_s) for pair in zip(before, after, strict=True))
    return BenchResult(
        device=device,
        cells=tuple(_result(spec, c, timed, alone[c.key], volumes.get(c.key), best) for c in cells),
        gemm=best,
        references=tuple(str(path) for path in spec.references),
        seed=spec.seed,
        budget_s=spec.budget_s,
        command=spec.command,
    )


def cell_key(path: Path, threads: int) -> str:
    """Name a cell."""
    return f"{path} @ {threads}"


def speed_ratio(seconds: Sequence[float], reference: Sequence[float], name: str, *, seed: int) -> SpeedRatio:
    """Compare two cells over the rounds in which both ran.

    Args:
        seconds: of one cell, in the order of the rounds.
        reference: of another, likewise; it may have fewer or more.
        name: of the reference.
        seed: of the bootstrap.
    """
    pairs = min(len(seconds), len(reference))
    mine, other = seconds[:pairs], reference[:pairs]
    low, high = median_ratio_bounds(other, mine, seed=seed) if pairs >= MIN_PAIRS else (None, None)
    return SpeedRatio(reference=name, times=float(np.median(other) / np.median(mine)), low=low, high=high, pairs=pairs)


def sustained(found: SoloResult) -> Sustained:
    """Sum up the slices of a volume that ran alone."""
    times = np.asarray(found.seconds) * 1e3
    third = max(1, len(times) // 3)
    first, last = float(np.median(times[:third])), float(np.median(times[-third:]))
    post = found.post_processing_s
    return Sustained(
        slices=len(times),
        total_s=float(times.sum()) / 1e3 + (post or 0.0),
        ms_per_slice=tuple(float(part.mean()) for part in np.array_split(times, min(10, len(times)))),
        first_third_ms=first,
        last_third_ms=last,
        drift=last / first - 1.0,
        post_processing_ms=None if post is None else post * 1e3,
        peak_rss_bytes=found.peak_rss_bytes,
    )


def _channels(cells: list[_Cell]) -> tuple[str, ...]:
    """Find the channels that all networks take; files that say nothing of it take what there is.

    Raises:
        OptionError: when two take different ones.
    """
    taken = {phantom_channels(c.model.contract.channels).names for c in cells if not isinstance(c.model, PlainModel)}
    if len(taken) > 1:
        first, second, *_ = sorted(taken)
        raise OptionError(
            f"one network takes {', '.join(first)} and another {', '.join(second)}; measure them in runs of their own"
        )
    return taken.pop() if taken else LGG.names


def _call(model: Opened, image: NDArray[np.uint8]) -> Call:
    return model.run if isinstance(model, PlainModel) else one_slice(model, image)


def _alone(cell: _Cell, slices: Path, volume: int, say: Say) -> SoloResult:
    say(f"{'volume' if volume else 'alone'} {cell.path.name}, {cell.threads} threads")
    contract = None if cell.contract is None else str(cell.contract)
    return run_alone(
        SoloJob(model=str(cell.path), threads=cell.threads, slices=str(slices), volume=volume, contract=contract)
    )


def _ratios(spec: BenchSpec, cell: _Cell, timed: Timings) -> Iterable[SpeedRatio]:
    """Compare with each other file that is a reference, at the same number of threads."""
    for path in spec.references:
        if path != cell.path:
            theirs = timed.seconds[cell_key(path, cell.threads)]
            yield speed_ratio(timed.seconds[cell.key], theirs, str(path), seed=spec.seed)


def _macs(cell: _Cell) -> int | None:
    if not isinstance(cell.model, KerasPredictor):
        return count_macs(cell.path)
    return census(cell.model.model).macs


def _result(
    spec: BenchSpec,
    cell: _Cell,
    timed: Timings,
    alone: SoloResult,
    volume: SoloResult | None,
    rates: Sequence[GemmRate],
) -> BenchCell:
    times = np.asarray(timed.seconds[cell.key]) * 1e3
    p50, p90, p95, p99 = (float(value) for value in np.percentile(times, PERCENTILES))
    model, macs = cell.model, _macs(cell)
    contract = None if isinstance(model, PlainModel) else model.contract
    rate = None if macs is None else macs / (p50 / 1e3)
    peak = next(found.macs_per_s for found in rates if found.threads == cell.threads)
    return BenchCell(
        file=str(cell.path),
        format=cell.path.suffix.lower().removeprefix("."),
        size_bytes=model_size_bytes(cell.path),
        sha256=model_sha256(cell.path),
        has_contract=contract is not None,
        runtime=model.runtime,
        threads=cell.threads,
        numerics=model.numerics,
        runs=len(times),
        warmup_runs=timed.warmup_runs[cell.key],
        p50_ms=p50,
        p90_ms=p90,
        p95_ms=p95,
        p99_ms=p99,
        min_ms=float(times.min()),
        variant=None if contract is None else contract.variant.slug,
        target=None if contract is None else contract.target,
        load_ms=alone.load_s * 1e3,
        first_ms=alone.first_s * 1e3,
        idle_rss_bytes=alone.idle_rss_bytes,
        peak_rss_bytes=alone.peak_rss_bytes,
        macs=macs,
        macs_per_s=rate,
        gemm_share=None if rate is None else rate / peak,
        ratios=tuple(_ratios(spec, cell, timed)),
        sustained=None if volume is None else sustained(volume),
    )
