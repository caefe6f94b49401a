"""What the transposed convolutions of a TFLite file cost: a shipped network with them, and as edgeseg writes it.

Prints a Markdown table: a row per format, milliseconds a slice in both forms from rounds in which they took turns, and
how many times as fast the second is. Close other work first.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.metrics import median_ratio_bounds
from edgeseg.reports.table import markdown_row, markdown_table_lines
from edgeseg.stages.bench import interleave, one_slice, phantom_slice
from edgeseg.stages.calibrate import shipped_ranges
from edgeseg.stages.environment import environment, load_average
from edgeseg.stages.predict import checkpoint_contract, network_of
from edgeseg.targets import ConvertJob, _tflite, get
from edgeseg.targets._keras import network
from edgeseg.targets.peers import open_for_timing

FORMATS = ("tflite-fp32", "tflite-int8")
TRANSPOSED, REARRANGED = "transposed convolutions", "1 x 1 and DEPTH_TO_SPACE"
WARMUP = 10


def main() -> None:
    """Build both forms of both formats, let them take turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="light", help="a folder of models/")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    checkpoint = read_checkpoint(artifacts.shipped("models", given.network))
    load = load_average()
    head = ("format", f"{TRANSPOSED}, ms", f"{REARRANGED}, ms", "times as fast [95 %]")
    print("\n".join(markdown_table_lines(head, ())))
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            print(_row(checkpoint, name, Path(folder), runs=given.runs, threads=given.threads), flush=True)
    here = environment()
    print(
        f"\n- {given.network}, {given.runs} rounds, threads {given.threads}; {here.cpu}, {here.os}; "
        f"ai-edge-litert {here.versions.get('ai-edge-litert', 'unknown')}; load before {load}."
    )


def _row(checkpoint: Checkpoint, name: str, folder: Path, *, runs: int, threads: int) -> str:
    image, calls = phantom_slice(seed=0), {}
    for form in (TRANSPOSED, REARRANGED):
        path = folder / f"{name}-{len(form)}.tflite"
        with _written(form):
            get(name).convert(job_of(checkpoint, name), path)
        calls[form] = one_slice(open_for_timing(path, threads=threads), image)  # type: ignore[arg-type]
    seconds = interleave(calls, runs=runs, warmup=WARMUP, budget_s=None).seconds
    before, after = (1e3 * float(np.median(seconds[form])) for form in (TRANSPOSED, REARRANGED))
    low, high = median_ratio_bounds(seconds[TRANSPOSED], seconds[REARRANGED], seed=0)
    return markdown_row((name, f"{before:.2f}", f"{after:.2f}", f"{before / after:.2f} [{low:.2f}, {high:.2f}]"))


def job_of(checkpoint: Checkpoint, name: str) -> ConvertJob:
    """Return the job of converting a shipped network to a target, with the ranges that it ships with."""
    recorded = shipped_ranges(checkpoint.header.variant, artifacts.sha256_file(checkpoint.path))
    return ConvertJob(
        model=network_of(checkpoint),
        contract=checkpoint_contract(checkpoint.header, name),
        ranges=recorded.activations if recorded is not None and get(name).needs_calibration else None,
    )


@contextmanager
def _written(form: str) -> Iterator[None]:
    """Let TFLite files keep transposed convolutions where `form` says so."""

    def kept(model: Any, *, depth_to_space: bool, **others: bool) -> Any:
        return network(model, depth_to_space=depth_to_space and form != TRANSPOSED, **others)

    with patch.object(_tflite, "network", kept):
        yield


if __name__ == "__main__":
    main()
