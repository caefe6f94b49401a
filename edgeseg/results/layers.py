"""What `edgeseg bench --layers` finds: where within one network the time goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.results.bench import BenchDevice, GemmRate

LAYERS_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTime:
    """One operation as the runtime runs it, in its order.

    `name` is the runtime's, `kind` the operator, `shape` that of what it gives, in the layout that it is computed in.
    `ms` is a median of all runs, `share` its part of the sum of all. `macs` are its multiply-accumulates, 0 where there
    are none and None where they are unknown. `bytes_moved` is what it reads and writes, stored weights included where
    the runtime tells of them. `lanes_filled` is the share of the kernel's multipliers that work on real channels and
    not on padding, in [0, 1]; None where there are no multiplications. `arithmetic_ms` and `memory_ms` are what its
    arithmetic and its bytes take at the host's rates.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    ms: float
    share: float
    macs: int | None
    bytes_moved: int
    lanes_filled: float | None
    arithmetic_ms: float | None
    memory_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersResult:
    """What one run of `edgeseg bench --layers` found.

    `method` is `profile` (the runtime's own clock around each operation) or `truncated` (the graph cut behind each
    operation, and the difference of two cuts in the same round). `whole_ms` is the median of the whole network
    without a profile. `channels_out` and `channels_in` are the groups that a kernel's lanes are counted in. `gemm` and
    `copy_bytes_per_s` are the host's best rates of float32 products and of reading and writing memory in this run.
    """

    device: BenchDevice
    file: str
    sha256: str
    runtime: str
    method: str
    threads: int
    runs: int
    warmup_runs: int
    whole_ms: float
    channels_out: int
    channels_in: int
    gemm: GemmRate
    copy_bytes_per_s: float
    layers: tuple[LayerTime, ...]
    seed: int
    command: str | None = None
    remarks: tuple[str, ...] = field(default=())
    schema_version: int = LAYERS_SCHEMA_VERSION
