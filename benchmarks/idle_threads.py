"""What the idle threads of ONNX Runtime sessions cost their neighbours: all files of a build in turns, against alone.

Prints a Markdown table of p50 in milliseconds: a row per file, a column per way of waiting. The files of a column
took turns in one process; those of the last two ran alone. Close other work first.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from edgeseg.reports.table import markdown_table_lines
from edgeseg.runtime import onnx_session
from edgeseg.stages.bench import interleave, one_slice, phantom_slice
from edgeseg.targets.peers import open_for_timing

WAYS = {
    "all, spinning": ("session.force_spinning_stop", "0"),
    "all, never spinning": ("session.intra_op.allow_spinning", "0"),
    "all, asleep between runs": ("session.force_spinning_stop", "1"),
}
"""Column to session option; the first is ONNX Runtime's default, the last edgeseg's."""
ALONE = {"alone, spinning": "all, spinning", "alone, asleep between runs": "all, asleep between runs"}
WARMUP = 3


def measure(
    files: list[Path], option: tuple[str, str], *, runs: int, budget_s: float, threads: int
) -> dict[str, float]:
    """Time files in turns in this process; return p50 in ms by file name."""
    onnx_session.IDLE = option
    image = phantom_slice(seed=0)
    calls = {}
    for path in files:
        model = open_for_timing(path, threads=threads)
        calls[path.name] = one_slice(model, image)  # type: ignore[arg-type]
    timed = interleave(calls, runs=runs, warmup=WARMUP, budget_s=budget_s)
    return {name: float(np.median(seconds)) * 1e3 for name, seconds in timed.seconds.items()}


def elsewhere(files: list[Path], way: str, rest: list[str]) -> dict[str, float]:
    """Call `measure` in a process of its own."""
    command = [sys.executable, __file__, *map(str, files), "--way", way, *rest]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="artifacts of one build")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--budget-s", type=float, default=2.0, help="seconds of counted runs of each file, at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way:
        options = {"runs": given.runs, "budget_s": given.budget_s, "threads": given.threads}
        print(json.dumps(measure(given.files, WAYS[given.way], **options)))
        return
    rest = ["--runs", str(given.runs), "--budget-s", str(given.budget_s), "--threads", str(given.threads)]
    columns = {way: elsewhere(given.files, way, rest) for way in WAYS}
    for alone, way in ALONE.items():
        columns[alone] = {}
        for path in given.files:
            columns[alone] |= elsewhere([path], way, rest)
    rows = ((path.name, *(f"{column[path.name]:.1f}" for column in columns.values())) for path in given.files)
    print("\n".join(markdown_table_lines(("file", *columns), rows)))


if __name__ == "__main__":
    main()
