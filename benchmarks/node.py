"""How long a study takes through `edgeseg node`: from its last C-STORE to SEG, report and capture in an Orthanc.

    python benchmarks/node.py MODEL [--studies 10] [--into docs/measured/node.md]

Each study has 3 x 24 slices of 256 x 256 of a head that nobody has. It is sent over one association; the clock starts
when the last object was answered, and stops when Orthanc's REST interface shows all three results. `silence_s` of the
node is taken off. Then as many studies are sent without waiting for results, to a node whose results go to Orthanc and
to one whose results go to `storescp`, in turns with `edgeseg run`. All of it shares the machine. Needs the extra
`node`, Orthanc and DCMTK.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import node_peers as peers

SILENCE_S = 1.0
PART = """`python benchmarks/node.py MODEL --into docs/measured/node.md` wrote it: {studies} studies of
3 x {slices} slices of {side} x {side}, one after another, sent to a node that stores its results in an {orthanc} on the
same machine.
The silence after which a study is complete is taken off. `of_many` is the time for each of as many studies sent by
`dcmsend` one after another without waiting for results, in turns with that of `edgeseg run` with SEG and contact sheet
over the same studies, its start included: the median of {rounds} turns. `cpu_s` is processor time for each study, of
the node with its processes, of what takes the results, and of `edgeseg run`; on a machine that others use too it says
more than the clock does.

```text
{figures}
```
"""


def main() -> None:
    """Print the figures, and write them into a page where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3, help="turns of node and run")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        figures, version = _measure(options.model, options.studies, options.rounds, Path(folder))
    figures |= {"studies": options.studies, "cores": os.cpu_count(), "load_before": round(load, 1)}
    text = "\n".join(f"{name:32} {value}" for name, value in figures.items())
    print(text)
    if options.into is not None:
        part = PART.format(
            studies=options.studies, slices=peers.SLICES, side=peers.SIDE, orthanc=version, rounds=options.rounds,
            figures=text,
        )  # fmt: skip
        peers.put_section(options.into, "times", part)


def _measure(model: Path, count: int, rounds: int, root: Path) -> tuple[dict[str, Any], str]:
    figures, version = _latency(model, count, root / "one")
    found: dict[str, list[float]] = {}
    for turn in range(rounds):
        folder = root / f"turn-{turn}"
        folders = [peers.write_study(folder / "studies" / str(number), number) for number in range(count)]
        for name, kind in (("orthanc", peers.orthanc), ("storescp", peers.storescp)):
            for what, value in _through_node(model, folders, folder / name, kind).items():
                found.setdefault(f"{name}_{what}", []).append(value)
        for what, value in _through_run(model, folder / "studies", folder / "out", count).items():
            found.setdefault(f"run_{what}", []).append(value)
    medians = {name: statistics.median(values) for name, values in found.items()}
    for name in ("orthanc", "storescp"):
        ratios = [run / node for run, node in zip(found["run_s"], found[f"{name}_s"], strict=True)]
        figures[f"node_to_{name}_s_of_many"] = round(medians[f"{name}_s"], 2)
        figures[f"node_to_{name}_cpu_s"] = round(medians[f"{name}_node_cpu_s"], 2)
        figures[f"{name}_cpu_s"] = round(medians[f"{name}_archive_cpu_s"], 3)
        figures[f"throughput_of_run_to_{name}"] = round(statistics.median(ratios), 2)
    figures["run_s_of_many"], figures["run_cpu_s"] = round(medians["run_s"], 2), round(medians["run_cpu_s"], 2)
    return figures, version


def _latency(model: Path, count: int, root: Path) -> tuple[dict[str, Any], str]:
    root.mkdir()
    times, stored, memory = [], [], []
    with (
        peers.orthanc(root) as archive,
        peers.node(model, root / "node", archive.port, silence_s=SILENCE_S) as (port, process),
    ):
        for number in range(count):
            folder = peers.write_study(root / str(number), number)
            begun = time.perf_counter()
            peers.send(port, folder)
            ended = time.perf_counter()
            _wait(archive, 3 * (number + 1))
            times.append(time.perf_counter() - ended - SILENCE_S)
            stored.append(3 * peers.SLICES / (ended - begun))
            memory.append(peers.resident_mb(process.pid))
        version = archive.version
    return {
        "first_s": round(times[0], 2),
        "p50_s": round(statistics.median(times[1:] or times), 2),
        "worst_s_but_first": round(max(times[1:] or times), 2),
        "objects_received_per_s": round(statistics.median(stored), 1),
        "node_mb_first": round(memory[0], 1),
        "node_mb_last": round(memory[-1], 1),
    }, version


def _through_node(model: Path, folders: list[Path], root: Path, kind: Any) -> dict[str, float]:
    """Say what studies take through a node that has done one already."""
    root.mkdir()
    opened: AbstractContextManager[peers.Archive] = kind(root)
    with opened as archive, peers.node(model, root / "node", archive.port, silence_s=SILENCE_S) as (port, process):
        peers.send(port, peers.write_study(root / "first", len(folders)))
        _wait(archive, 3)
        before = peers.cpu_s(process.pid), peers.cpu_s(archive.process.pid)
        begun = time.perf_counter()
        for folder in folders:
            peers.send(port, folder)
        _wait(archive, 3 * (len(folders) + 1))
        ended = time.perf_counter()
        after = peers.cpu_s(process.pid), peers.cpu_s(archive.process.pid)
    return {
        "s": (ended - begun - SILENCE_S) / len(folders),
        "node_cpu_s": (after[0] - before[0]) / len(folders),
        "archive_cpu_s": (after[1] - before[1]) / len(folders),
    }


def _through_run(model: Path, studies: Path, out: Path, count: int) -> dict[str, float]:
    """Say what `edgeseg run` takes for each of the studies, with SEG and contact sheet, its start included."""
    words = [sys.executable, "-m", "edgeseg", "run", str(model), str(studies), "--out", str(out), "--overlays"]
    before, begun = os.times(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after, ended = os.times(), time.perf_counter()
    took = after.children_user + after.children_system - before.children_user - before.children_system
    return {"s": (ended - begun) / count, "cpu_s": took / count}


def _wait(archive: peers.Archive, count: int) -> None:
    ends = time.monotonic() + 300
    while archive.count() < count:
        assert time.monotonic() < ends, "the results do not come"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
