"""`edgeseg bench --layers`: where within one network the time goes, beside what the host could do at best."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgeseg.errors import ArtifactError, OptionError
from edgeseg.progress import Progress
from edgeseg.results import BenchDevice, GemmRate, LayersResult, LayerTime
from edgeseg.runtime.model_files import model_sha256
from edgeseg.runtime.numerics import int8_kernels_exact
from edgeseg.runtime.onnx_session import computes_int8
from edgeseg.specs import check_seed
from edgeseg.stages.bench.alone import gemm_rate
from edgeseg.stages.bench.interleave import check_counts
from edgeseg.stages.bench.lanes import Lanes, copy_rate, lanes
from edgeseg.stages.bench.operations import Found, Timed
from edgeseg.stages.bench.profiled import profiled
from edgeseg.stages.bench.truncated import truncated

ONNX, TFLITE = (".onnx", ".ort"), (".tflite",)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersSpec:
    """What `edgeseg bench --layers` is asked for; see there."""

    file: Path
    threads: int = 1
    runs: int = 100
    warmup: int = 10
    seed: int = 0
    command: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, before anything is opened."""
        check_counts(self.runs, self.warmup, None)
        if self.threads < 1:
            raise OptionError(f"threads is {self.threads}; at least 1 is needed")
        if self.file.suffix.lower() not in (*ONNX, *TFLITE):
            raise OptionError(
                f"{self.file} cannot be taken apart; --layers takes one of: {', '.join((*ONNX, *TFLITE))}"
            )
        check_seed(self.seed)


def bench_layers(spec: LayersSpec, device: BenchDevice, *, progress: Progress | None = None) -> LayersResult:
    """Time each operation of a model file.

    Args:
        spec: what to measure.
        device: what it is measured on.
        progress: called after each run.

    Raises:
        ArtifactError: when the file is missing, damaged or cannot be run.
        MissingExtraError: when what runs it is not installed.
    """
    if not spec.file.is_file():
        raise ArtifactError(f"{spec.file} is no file; name a .onnx, .ort or .tflite")
    before = gemm_rate(spec.threads)
    found = _found(spec, progress)
    gemm = max(before, gemm_rate(spec.threads), key=lambda rate: rate.macs_per_s)
    moved = copy_rate()
    groups = {kind: lanes(kind) for kind in ("float32", "int8")}
    medians = [max(float(np.median(one.seconds)), 0.0) for one in found.operations]
    whole = sum(medians) or 1.0
    chief = groups["int8" if any(o.arithmetic == "int8" for o in found.operations) else "float32"]
    return LayersResult(
        device=device,
        file=str(spec.file),
        sha256=model_sha256(spec.file),
        runtime=found.runtime,
        method=found.method,
        threads=spec.threads,
        runs=len(found.whole),
        warmup_runs=spec.warmup,
        whole_ms=float(np.median(found.whole)) * 1e3,
        channels_out=chief.given,
        channels_in=chief.taken,
        gemm=gemm,
        copy_bytes_per_s=moved,
        layers=tuple(
            _layer(one, seconds, seconds / whole, gemm, moved, groups[one.arithmetic])
            for one, seconds in zip(found.operations, medians, strict=True)
        ),
        seed=spec.seed,
        command=spec.command,
    )


def _found(spec: LayersSpec, progress: Progress | None) -> Found:
    asked = {"threads": spec.threads, "runs": spec.runs, "warmup": spec.warmup, "seed": spec.seed}
    if spec.file.suffix.lower() in TFLITE:
        return truncated(spec.file, progress=progress, **asked)
    integer = computes_int8(spec.file) and int8_kernels_exact()
    return profiled(spec.file, integer=integer, progress=progress, **asked)


def _layer(one: Timed, seconds: float, share: float, gemm: GemmRate, moved: float, groups: Lanes) -> LayerTime:
    return LayerTime(
        name=one.name,
        kind=one.kind,
        shape=one.shape,
        ms=seconds * 1e3,
        share=share,
        macs=one.macs,
        bytes_moved=one.bytes_moved,
        lanes_filled=None if one.channels is None else groups.filled(*one.channels),
        arithmetic_ms=None if one.macs is None else one.macs / gemm.macs_per_s * 1e3,
        memory_ms=one.bytes_moved / moved * 1e3,
    )
