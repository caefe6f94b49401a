"""Where `edgeseg run` spends its time on a folder of patients: reading, preparing, network, components, writing.

    python benchmarks/phases.py light DATA [--threads 2] [--into docs/measured/runner.md]

runs the command in this process with a clock around the functions of each phase. A function that calls another one of
the list is not charged for it, so that the phases add up. Seconds are of the wall; close other work first.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime

from edgeseg import components, networks
from edgeseg.cli.main import main as edgeseg
from edgeseg.place import scratch
from edgeseg.reports.table import markdown_table_lines, splice
from edgeseg.runtime import onnx_session, stream
from edgeseg.runtime.segmenter import Segmenter
from edgeseg.stages.bench import bench_device
from edgeseg.stages.segment import case, masks

PHASES: dict[str, tuple[tuple[Any, str], ...]] = {
    "reading the slices and looking them over": ((vars(case)["_Watched"], "image"),),
    "preparing them for the network": ((stream, "to_network"), (stream, "framed"), (Segmenter, "encoded")),
    "the network": ((onnx_session.OnnxSession, "infer"),),
    "from logits to masks, components": (
        (components.RunStack, "add"),
        (components.RunStack, "components"),
        (stream, "mask_from_logits"),
        (stream, "framed_mask"),
        (stream, "_again"),
        (stream, "_write"),
    ),
    "measuring and writing": ((masks.PictureMasks, "add"), (masks.PictureMasks, "finish"), (case, "_measured")),
}
REST = "all else: start, finding the patients, table"


class Clock:
    """Adds up what each phase takes of its own."""

    def __init__(self) -> None:
        """Start every phase at nothing."""
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self._within: list[float] = []

    def around(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function with the clock around it."""

        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            self._within.append(0.0)
            before = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                took = time.perf_counter() - before
                self.seconds[phase] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return timed


def main() -> None:
    """Measure, and print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("data", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--into", type=Path, help="a Markdown file with the markers of a table")
    given = parser.parse_args()
    table = measure(given.network, given.data, given.threads)
    print(table)
    if given.into is not None:
        splice(table, given.into)


def measure(network: str, data: Path, threads: int) -> str:
    """Run once; returns the table."""
    clock, load = Clock(), os.getloadavg()[0]
    for phase, functions in PHASES.items():
        for place, name in functions:
            setattr(place, name, clock.around(phase, getattr(place, name)))
    with scratch("phases") as folder:
        command = ["run", network, str(data), "--out", str(folder / "out"), "--threads", str(threads), "--json"]
        before, told = time.perf_counter(), io.StringIO()
        with contextlib.redirect_stdout(told), contextlib.suppress(SystemExit):
            edgeseg(command)
        whole = time.perf_counter() - before
        patients = sum(path.is_dir() for path in (folder / "out").iterdir())
        slices = sum(1 for _ in (folder / "out").rglob("*_mask.*"))
    seconds = clock.seconds | {REST: whole - sum(clock.seconds.values())}
    rows = [(phase, f"{taken / patients:.3f}", f"{100 * taken / whole:.0f} %") for phase, taken in seconds.items()]
    lines = markdown_table_lines(
        ("phase", "s a patient", "share"), [*rows, ("together", f"{whole / patients:.3f}", "100 %")]
    )
    device = bench_device(emulated=False)
    file = networks.get(network).file().name
    return "\n".join(
        (
            *lines,
            "",
            f"`{network}` ({file}) over {patients} patients of {slices} slices, {threads} threads, onnxruntime "
            f"{onnxruntime.__version__}, {device.cpu}, {device.cores} cores, load average before it {load:.1f}.",
        )
    )


if __name__ == "__main__":
    main()
