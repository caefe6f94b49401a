"""What `edgeseg bench` finds: the one shape in which a computer, a tablet or an emulator reports time and memory.

docs/reference/bench.md describes every field; another program that measures artifacts (an app on a tablet)
writes the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

BENCH_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchDevice:
    """What was measured on; a field that the device does not tell is None.

    `model` is the maker's name of the device where there is one (a tablet), `cpu` that of its processor, `architecture`
    the instruction set such as `x86_64` or `aarch64`. `emulator` names what emulates the processor: where it is set no
    time in the result is a latency of the device that is emulated. `versions` holds every runtime by name.
    """

    cpu: str
    architecture: str
    cores: int
    os: str
    versions: dict[str, str]
    model: str | None = None
    memory_bytes: int | None = None
    emulator: str | None = None
    int8_kernels: str | None = None
    load_average: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GemmRate:
    """The best of several float32 products of two `side` x `side` matrices: multiply-accumulates per second."""

    threads: int
    macs_per_s: float
    side: int
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedRatio:
    """How many times as fast as a reference one artifact is, from the rounds in which both ran.

    `times` is the reference's median over the artifact's; `low` and `high` are its 95 % bootstrap interval over those
    rounds, None where there are too few to tell.
    """

    reference: str
    times: float
    low: float | None
    high: float | None
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sustained:
    """One artifact over a whole volume, slice after slice in a process of its own, post-processing included.

    `ms_per_slice` holds the mean of each tenth of the volume in the order they were run, `first_third_ms` and
    `last_third_ms` the medians of those thirds, `drift` how much slower the last is (0.1: a tenth).
    `post_processing_ms` comes once, after the last slice; None where the model has no contract.
    """

    slices: int
    total_s: float
    ms_per_slice: tuple[float, ...]
    first_third_ms: float
    last_third_ms: float
    drift: float
    post_processing_ms: float | None
    peak_rss_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCell:
    """One model file at one number of threads.

    The percentiles are over `runs` counted calls that took turns with those of every other cell. `load_ms`, `first_ms`
    and `peak_rss_bytes` come from a process that held this file alone; `idle_rss_bytes` is what that process took
    before it opened the file. `accelerator` is where the network ran: `cpu`, or the name of a delegate or provider.
    `has_contract` False marks a peer that edgeseg did not make: it was fed random numbers of its input's shape.
    """

    file: str
    format: str
    size_bytes: int
    sha256: str
    has_contract: bool
    runtime: str
    threads: int
    numerics: str
    runs: int
    warmup_runs: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float
    min_ms: float
    variant: str | None = None
    target: str | None = None
    accelerator: str = "cpu"
    load_ms: float | None = None
    first_ms: float | None = None
    idle_rss_bytes: int | None = None
    peak_rss_bytes: int | None = None
    macs: int | None = None
    macs_per_s: float | None = None
    gemm_share: float | None = None
    ratios: tuple[SpeedRatio, ...] = ()
    sustained: Sustained | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchResult:
    """What one run of `edgeseg bench` found; figures of different runs are not comparable."""

    device: BenchDevice
    cells: tuple[BenchCell, ...]
    gemm: tuple[GemmRate, ...]
    references: tuple[str, ...]
    seed: int
    budget_s: float | None
    command: str | None = None
    remarks: tuple[str, ...] = field(default=())
    schema_version: int = BENCH_SCHEMA_VERSION
