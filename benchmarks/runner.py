"""What the runner costs beside the network: start, import and memory, measured in processes of their own.

    python benchmarks/runner.py MODEL [--runs 5] [--slices 60,240]

Phantom slices are written as 16-bit NIfTI (where nibabel is installed) and as pictures, and segmented by
`edgeseg run`. Times are wall-clock and processor seconds, with Python's cached bytecode as in any install; close other
work first. In an environment with all extras, importing Typer takes longer than in the base install.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from edgeseg.data.phantom import phantom_volume

# Without its cached bytecode Python would compile every module anew at each start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
IMPORTS = {
    "onnxruntime": "import onnxruntime",
    "edgeseg.runtime": "import edgeseg.runtime",
}


def main() -> None:
    """Print one line per figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--slices", default="60,240")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    print(f"load average before: {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; fastest of {options.runs} runs")
    times = {name: _fastest([sys.executable, "-c", code], options.runs) for name, code in IMPORTS.items()}
    for name, (wall, cpu, rss) in times.items():
        print(f"import {name:16} {wall:6.2f} s wall  {cpu:6.2f} s processor  {rss:5.0f} MB peak")
    beyond = [times["edgeseg.runtime"][end] - times["onnxruntime"][end] for end in (0, 1)]
    print(f"edgeseg.runtime beyond onnxruntime: {beyond[0]:.2f} s wall, {beyond[1]:.2f} s processor")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        first = _apart(_write_one, folder / "one")
        command = [sys.executable, "-m", "edgeseg", "run", str(options.model), "--threads", str(options.threads)]
        for count in (0, *map(int, options.slices.split(","))):
            inputs = [str(first)] if not count else _apart(_write, folder / str(count), count)
            runs = options.runs if not count else 1
            wall, cpu, rss = _fastest([*command, *inputs, "--out", str(folder / "out")], runs)
            what = "process start to first mask" if not count else f"{count} slices, {_kind(inputs)}"
            print(f"{what:28} {wall:6.2f} s wall  {cpu:6.2f} s processor  {rss:5.0f} MB peak")


def _apart(function: Callable[..., Any], *arguments: object) -> Any:
    """Call in a process of its own: a process begins with its parent's peak memory, so this one must stay small."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _kind(inputs: list[str]) -> str:
    return "16-bit NIfTI" if "--flair" in inputs else "pictures"


def _write_one(folder: Path) -> Path:
    images = phantom_volume(0, seed=0).images
    folder.mkdir()
    path = folder / "one_1.png"
    Image.fromarray(images[len(images) // 2]).save(path)
    return path


def _write(folder: Path, count: int) -> list[str]:
    images = phantom_volume(0, seed=0).images
    folder.mkdir()
    try:
        import nibabel
    except ImportError:
        for number in range(count):
            Image.fromarray(images[number % len(images)]).save(folder / f"case_{number}.png")
        return [str(folder)]
    chosen = np.arange(count) % len(images)
    arguments = []
    for channel, name in enumerate(("pre", "flair", "post")):
        values = (images[chosen, :, :, channel].astype(np.int16) * 12).transpose(2, 1, 0)
        nibabel.save(nibabel.Nifti1Image(values, np.diag([-0.94, -0.94, 3.0, 1.0])), folder / f"{name}.nii.gz")
        arguments += [f"--{name}", str(folder / f"{name}.nii.gz")]
    return arguments


def _fastest(command: list[str], runs: int) -> tuple[float, float, float]:
    """Run a command several times: the least wall seconds and processor seconds, and the largest peak memory in MB."""
    walls, cpus, peaks = [], [], []
    for _ in range(runs):
        before = time.perf_counter()
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        _, status, used = os.wait4(started.pid, 0)
        walls.append(time.perf_counter() - before)
        if os.waitstatus_to_exitcode(status):
            raise SystemExit(f"failed: {' '.join(command)}")
        cpus.append(used.ru_utime + used.ru_stime)
        peaks.append(used.ru_maxrss / 1e3)
    return min(walls), min(cpus), max(peaks)


if __name__ == "__main__":
    main()
