"""What several results are made of."""

from __future__ import annotations

from dataclasses import dataclass

RESULT_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean with its 95 % percentile-bootstrap interval over patients."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where a figure was measured."""

    cpu: str
    cores: int
    os: str
    python: str
    int8_kernels: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyResult:
    """Single-slice latency of one artifact, after warm-up, in one interleaved run with its peers."""

    artifact: str
    runtime: str
    threads: int
    runs: int
    warmup_runs: int
    latency_ms_p50: float
    latency_ms_p95: float
