"""Time, cold start and memory, measured in turns so that a slow minute hits all alike."""

from __future__ import annotations

from edgeseg.stages.bench.alone import run_alone
from edgeseg.stages.bench.bench import BenchSpec, bench
from edgeseg.stages.bench.device import bench_device
from edgeseg.stages.bench.interleave import interleave
from edgeseg.stages.bench.latency import one_slice, phantom_slice, time_artifacts
from edgeseg.stages.bench.layers import LayersSpec, bench_layers

__all__ = [
    "BenchSpec",
    "LayersSpec",
    "bench",
    "bench_device",
    "bench_layers",
    "interleave",
    "one_slice",
    "phantom_slice",
    "run_alone",
    "time_artifacts",
]
