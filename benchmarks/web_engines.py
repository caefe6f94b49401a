"""LiteRT.js beside ONNX Runtime in Chromium: time of one slice, codes and masks, and what each would have to load.

    python benchmarks/web_engines.py [--network light] [--into docs/measured/web-engines.md]

LiteRT.js refuses int8 inputs and outputs, so `tflite-int8` gets float32 ends, as in a page. Needs `make web`, its test
modules (`npm --prefix web run steps`) and a Chromium; every slice is a phantom's. The engines take turns, slice by
slice, one thread each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.phantom import phantom_volume
from edgeseg.runtime.litert_session import LitertSession
from edgeseg.targets.float_ends import with_float_ends

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measure, print the page, and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="light")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    models = ROOT / "models" / options.network
    images = phantom_volume(7, seed=2026).images
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "float-ends.tflite").write_bytes(with_float_ends((models / "tflite-int8.tflite").read_bytes()))
        (folder / "inputs.bin").write_bytes(images.astype(np.uint8).tobytes())
        wanted, step, zero_point = _codes(models / "tflite-int8.tflite", images)
        (folder / "wanted.bin").write_bytes(wanted.tobytes())
        job: dict[str, Any] = {
            "onnx": str(models / "onnx-int8.onnx"),
            "tflite": str(models / "tflite-int8.tflite"),
            "folder": str(folder),
            "network": options.network,
            "slices": len(images),
            "rounds": options.rounds,
            "step": step,
            "zero_point": zero_point,
        }
        (folder / "job.json").write_text(json.dumps(job))
        script = Path(__file__).with_suffix(".mjs")
        done = subprocess.run(
            ["node", str(script), str(folder / "job.json")], stdout=subprocess.PIPE, text=True, check=False
        )
    if done.returncode:
        sys.exit(done.returncode)
    print(done.stdout)
    if options.into:
        options.into.write_text(done.stdout)


def _codes(path: Path, images: NDArray[np.uint8]) -> tuple[NDArray[np.int8], float, int]:
    """Return what Python's LiteRT gives for each slice, `(N, H, W)` int8, what a step is, and the code of 0."""
    session = LitertSession(path, threads=1)
    codes = (images.astype(np.int16) - 128).astype(np.int8)
    found = np.concatenate([session.infer(one[np.newaxis]) for one in codes]).squeeze(-1)
    return found.astype(np.int8), float(session.output.scale or 1.0), int(session.output.zero_point or 0)


if __name__ == "__main__":
    main()
