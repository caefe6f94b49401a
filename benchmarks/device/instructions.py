"""Instructions of an inference of files on an emulated Cortex-A76, several in one start of the emulator."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import emulate
import numpy as np
import store

from edgeseg.targets import open_artifact

INFERENCES = 3
"""The first also prepares; the last counts."""
CORE = emulate.ARM_CORES[-1]


def instructions(paths: Sequence[Path], folder: Path) -> list[int]:
    """Count the instructions of the third inference of each file, on one thread; signed int8 stays in integers.

    Args:
        paths: of `.tflite` and `.onnx` files that edgeseg wrote, of 256 x 256 x 3.
        folder: for what the emulator reads and writes.

    Raises:
        ArtifactError: when fetching or emulating fails.
    """
    place = store.fetch(lambda line: print(line, file=sys.stderr))
    jobs = [_job(path, folder / f"{number}") for number, path in enumerate(paths)]
    said = emulate.on_arm(place, CORE, jobs, folder / "jobs.json", count=True)[1]
    return emulate.inference_counts(said)[INFERENCES - 1 :: INFERENCES]


def _job(path: Path, beside: Path) -> emulate.Job:
    opened = open_artifact(path)
    entry = opened.encoded(np.zeros((1, 256, 256, 3), np.uint8))  # type: ignore[union-attr]
    unsigned = opened.contract.profile == "x86"
    entry = entry.view(np.uint8) ^ np.uint8(128) if unsigned else entry
    stack = np.stack([entry] * INFERENCES)
    inputs = beside.with_suffix(".in")
    inputs.write_bytes(stack.tobytes())
    return emulate.Job(
        model=str(path),
        inputs=str(inputs),
        outputs=str(beside.with_suffix(".out")),
        shape=stack.shape[1:],
        dtype=stack.dtype.name,
        slices=len(stack),
        integer_graph=path.suffix == ".onnx" and opened.contract.target == "onnx-int8" and not unsigned,
        mark=True,
    )
