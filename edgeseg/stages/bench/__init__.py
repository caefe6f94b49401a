"""Time, cold start and memory, measured in turns so that a slow minute hits all alike."""

from __future__ import annotations

from edgeseg.stages.bench.alone import run_alone
from edgeseg.stages.bench.bench import BenchSpec, bench
from edgeseg.stages.bench.interleave import interleave
from edgeseg.stages.bench.latency import benchmark, one_slice, phantom_slice

__all__ = [
    "BenchSpec",
    "bench",
    "benchmark",
    "interleave",
    "one_slice",
    "phantom_slice",
    "run_alone",
]
