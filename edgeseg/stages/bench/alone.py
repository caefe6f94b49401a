"""Measurements that need a process of their own: one model's memory and cold start, and the host's GEMM rate."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import edgeseg
from edgeseg.errors import ArtifactError, OutputError, one_line
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.results import GemmRate
from edgeseg.workers import gemm
from edgeseg.workers.solo import SoloJob, SoloResult


def run_alone(job: SoloJob) -> SoloResult:
    """Run a `SoloJob` in a new process.

    Raises:
        ArtifactError: when that process fails, with what it said.
    """
    done = _python("edgeseg.workers.solo", given=to_json(job, indent=None))
    said = done.stderr.strip().splitlines()
    if done.returncode < 0:
        raise ArtifactError(
            f"{job.model}: the process that ran it alone was ended by signal {-done.returncode} (9: too little "
            "memory, as a rule); close other work, or leave the file out"
        )
    if done.returncode:
        raise ArtifactError(said[-1].removeprefix("error: ") if said else f"{job.model}: it cannot be run alone")
    try:
        return from_json(SoloResult, done.stdout.strip().splitlines()[-1])
    except (IndexError, JsonFormatError) as error:
        raise ArtifactError(f"{job.model}: the process that ran it alone gave no result ({one_line(error)})") from error


def gemm_rate(threads: int) -> GemmRate:
    """Measure the best rate of float32 matrix products at a number of threads.

    Raises:
        OutputError: when the process that measures it fails.
    """
    done = _python("edgeseg.workers.gemm", variables=dict.fromkeys(gemm.THREAD_VARIABLES, str(threads)))
    if done.returncode:
        raise OutputError(f"the matrix products could not be timed: {' '.join(done.stderr.split())[-200:]}")
    seconds, repeats = done.stdout.split()
    return GemmRate(threads=threads, macs_per_s=gemm.SIDE**3 / float(seconds), side=gemm.SIDE, repeats=int(repeats))


def _python(
    module: str, *, given: str = "", variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module of this very edgeseg with the interpreter that runs now."""
    root = str(Path(edgeseg.__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", module],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path, **(variables or {})},
    )
