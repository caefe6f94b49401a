"""A cohort on one process against the workers of Ray: how long, whether all is the same, and with one of them killed.

    python benchmarks/cohort.py MODEL [--patients 64] [--into docs/measured/cohort.md]

Synthetic patients are written once, then read by `edgeseg data verify` and scored by `edgeseg evaluate --threads 1`: in
one process, on Ray's workers of this machine (one for each processor), and on them once more while one that works is
killed. Times are those of whole commands, start and Ray's own start included. Needs the extras `build` and `ray`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from synthetic import Synthetic

from edgeseg import artifacts
from edgeseg.data.phantom import write_dataset

TASK = "ray::_there"
SLICES, SIDE = 12, 256
PAGE = """# Cohorts over several workers

This page has how long reading and scoring a cohort take in one process and on the workers of Ray.

`python benchmarks/cohort.py MODEL --patients {patients} --into docs/measured/cohort.md` wrote it: {patients} synthetic
patients, {slices} slices of 256 x 256, on {cores} cores with {ray}; one thread for each patient, and MODEL was
{model}. Times are those of whole commands in seconds, start included. "Same" says that the JSON, byte
by byte, is that of one process; in the last columns a worker was killed while it worked.

| command | one process | {cores} workers of Ray | times as fast | same | one worker killed | same |
|---|---|---|---|---|---|---|
{rows}

Load average before: {load} on {cores} cores; where it is above the number of cores, other work took its share of both
sides. Ray and each of its workers take seconds to start, so a short command is faster in one process.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One command: how long it took, what it printed, and how many workers were killed."""

    seconds: float
    printed: str
    killed: int = 0


def main() -> None:
    """Print a row for each command, and write the page where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--patients", type=int, default=64)
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    load = f"{os.getloadavg()[0]:.1f}"
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "cohort"
        write_dataset(Synthetic(given.patients, slices=SLICES, side=SIDE), data)
        slices = sum(1 for _ in data.rglob("*_mask.tif"))
        commands = {
            "`data verify`": ["data", "verify", str(data), "--json"],
            "`evaluate`": ["evaluate", str(given.model), "--data", str(data), "--threads", "1", "--json"],
        }
        rows = [_row(name, words) for name, words in commands.items()]
    print("\n".join(rows))
    if given.into is not None:
        page = PAGE.format(
            patients=given.patients,
            slices=slices,
            cores=os.cpu_count(),
            ray=f"Ray {version('ray')}",
            model=f"`{given.model.parent.name}/{given.model.name}`",
            rows="\n".join(rows),
            load=load,
        )
        artifacts.write_text(given.into, page)


def _row(name: str, words: Sequence[str]) -> str:
    alone, dealt = _run(words), _run([*words, "--ray"])
    hurt = _run([*words, "--ray"], kill=True)
    same = ["yes" if ran.printed == alone.printed else "NO" for ran in (dealt, hurt)]
    times = f"{alone.seconds / dealt.seconds:.2f}"
    killed = f"{hurt.seconds:.1f}" if hurt.killed else "none was killed"
    return f"| {name} | {alone.seconds:.1f} | {dealt.seconds:.1f} | {times} | {same[0]} | {killed} | {same[1]} |"


def _run(words: Sequence[str], *, kill: bool = False) -> Ran:
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "edgeseg", *words], stdout=subprocess.PIPE, text=True)
    found: list[int] = []
    watcher = threading.Thread(target=_kill_one, args=(process.pid, found))
    if kill:
        watcher.start()
    printed, _ = process.communicate()
    seconds = time.perf_counter() - start
    if kill:
        watcher.join()
    if process.returncode:
        sys.exit(f"edgeseg {' '.join(words)} ended with {process.returncode}")
    return Ran(seconds=seconds, printed=printed, killed=len(found))


def _kill_one(parent: int, killed: list[int]) -> None:
    """Kill the first worker below a process that has worked for a second; nothing where none does."""
    import psutil

    with_work: dict[int, float] = {}
    while psutil.pid_exists(parent) and not killed:
        try:
            below = psutil.Process(parent).children(recursive=True)
            for one in below:
                if one.cmdline()[:1] == [TASK] and time.time() - with_work.setdefault(one.pid, time.time()) > 1.0:
                    one.kill()
                    killed.append(one.pid)
                    break
        except psutil.Error:
            pass
        time.sleep(0.02)


if __name__ == "__main__":
    main()
