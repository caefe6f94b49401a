"""What a stem over squares of pixels (`edgeseg/targets/_blocks.py`) gains in TFLite files of a shipped network.

Prints a Markdown table: a row per format, milliseconds a run in both forms, how many times as fast the second is, and
how many logits of noise differ. Each file runs alone in a process of its own; the two forms take turns by process.
With --arm also the instructions of an inference on an emulated Cortex-A76. Close other work first.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from alone import seconds_alone
from transposed import job_of

from edgeseg import artifacts
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.metrics import median_ratio_bounds
from edgeseg.reports.table import markdown_table_lines
from edgeseg.stages.environment import environment, load_average
from edgeseg.targets import get, open_artifact

sys.path.insert(0, str(Path(__file__).parent / "device"))

FORMATS = ("tflite-fp32", "tflite-int8")
FORMS = ("as trained", "over squares")
PROCESSES = 5


def main() -> None:
    """Build both forms of both formats, time them, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="light", help="a folder of models/")
    parser.add_argument("--runs", type=int, default=150, help="of each process")
    parser.add_argument("--arm", action="store_true", help="also count instructions on an emulated Cortex-A76")
    given = parser.parse_args()
    checkpoint, load = read_checkpoint(artifacts.shipped("models", given.network)), load_average()
    head = ("format", *(f"{form}, ms" for form in FORMS), "times as fast [95 %]", "logits that differ")
    head += tuple(f"{form}, million instructions" for form in FORMS) if given.arm else ()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows.extend(list(_row(checkpoint, name, Path(folder), given)) for name in FORMATS)
    print("\n".join(markdown_table_lines(head, rows)))
    here = environment()
    print(
        f"\n- {given.network}, {PROCESSES} processes of {given.runs} runs, one thread; {here.cpu}, {here.os}; "
        f"ai-edge-litert {here.versions.get('ai-edge-litert', 'unknown')}; load before {load}."
    )


def _row(checkpoint: Checkpoint, name: str, folder: Path, given: argparse.Namespace) -> Iterator[str]:
    files = _files(checkpoint, name, folder)
    seconds: list[list[float]] = [[], []]
    for _ in range(PROCESSES):
        for own, path in zip(seconds, files, strict=True):
            own.extend(seconds_alone(path, given.runs))
    before, after = (1e3 * float(np.median(own)) for own in seconds)
    low, high = median_ratio_bounds(*seconds, seed=0)
    yield from (name, f"{before:.2f}", f"{after:.2f}", f"{before / after:.2f} [{low:.2f}, {high:.2f}]")
    opened = [open_artifact(path) for path in files]
    size = (2, opened[0].contract.height, opened[0].contract.width, len(opened[0].contract.channels))
    noise = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    one, other = (artifact.logits(noise) for artifact in opened)
    yield f"{int((one != other).sum())} of {one.size}, at most by {float(np.abs(one - other).max()):.1g}"
    if given.arm:
        from instructions import instructions

        yield from (f"{count / 1e6:.1f}" for count in instructions(files, folder))


def _files(checkpoint: Checkpoint, name: str, folder: Path) -> list[Path]:
    module: Any = importlib.import_module(f"edgeseg.targets.{name.replace('-', '_')}")
    shipped, made = module.BLOCKS, []
    for blocks in (False, True):
        module.BLOCKS = blocks
        made.append(folder / f"{name}-{blocks}.tflite")
        get(name).convert(job_of(checkpoint, name), made[-1])
    module.BLOCKS = shipped
    return made


if __name__ == "__main__":
    main()
