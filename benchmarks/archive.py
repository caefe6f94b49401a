"""How long an archive takes: with one worker, with two, and on Ray, on one host and on two; one of two is killed.

    python benchmarks/archive.py MODEL [--studies 12] [--price 0.05] [--into docs/measured/archive.md]

Each study has 3 x 24 slices of 256 x 256 of a head that nobody has, as DICOM files in a folder of its own. Each way is
`edgeseg run` from its start to its end, with one thread for each worker. `--price` is what an hour of one core costs,
in any currency, for the plan at the end. Needs the extra `dicom`; Ray is measured where it is installed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from node_peers import SIDE, SLICES, write_study
from ray_hosts import Hosts, two_hosts

PLANNED, CORES, SHARD = 10_000_000, 1000, 10_000
PAGE = """# How long an archive takes

This page has the time that `edgeseg run ARCHIVE --workers N` takes for many studies, and what it means for
{planned:,} of them.

`python benchmarks/archive.py MODEL --studies {studies} --price {price:g} --into docs/measured/archive.md` wrote it:
{studies} studies of 3 x {slices} slices of {side} x {side} as DICOM, {bytes:.1f} MB each, one thread for each worker,
on {cores} cores.
The load average before was {load:.1f}; on a machine that others use too, seconds by the clock are too many, and the
processor time is what counts. Memory is that of all processes of the run together, at its most in the first half of it
and in the second. Ray ends its processes by itself, so their processor time is not known. The two hosts of Ray are
two of its nodes on this machine, with one processor each; the one that is killed is not the one that leads.

| workers | s by the clock per study | processor s per study | MB, first half | MB, second half | rows | of them done |
|---|---|---|---|---|---|---|
{rows}

Starting takes part in all of it. All ways gave the same masks, also where a worker or a host was killed: {same}.

## A plan for {planned:,} studies

Nobody ran this; it is the figures above times a number. With `c` processor seconds a study (the row of 2 workers), `n`
studies, `k` cores that are kept busy, and `p` the price of a core for an hour:

- hours = `n c / (3600 k)` = {planned:,} x {cpu:.2f} / (3600 x {k}) = **{hours:,.1f} hours** on {k:,} cores,
- core hours per 1,000 studies = `1000 c / 3600` = **{core_hours:.2f}**,
- cost per 1,000 studies = `p` times that = **{cost:.3f}** at {price:g} a core hour.

What is read is {bytes:.1f} MB a study, so {k:,} cores read {rate:,.0f} MB a second: the store of the images has to give
that much, or it decides the hours. `summary.json` grows by {row_kb:.1f} kB a study and is written as a whole, so give
each {shard:,} studies a command and a folder of their own ({shards:,} of them): many small runs also lose less with a
host. `--resume` passes over what is done.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run, and what it took."""

    name: str
    words: tuple[str, ...]
    kills: bool = False
    hosts: Hosts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds by the clock and of processors, MB of both halves, rows of the summary, and digests of the masks.

    What Ray's own processes take is not seen: `cpu_s` is None.
    """

    wall_s: float
    cpu_s: float | None
    first_mb: float
    second_mb: float
    rows: int
    done: int
    masks: tuple[bytes, ...]
    summary_bytes: int


def main() -> None:
    """Print the page, and write it where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--studies", type=int, default=12)
    parser.add_argument("--price", type=float, default=0.05, help="of one core for an hour")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    took: dict[str, Took] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        size = _write(root / "archive", options.studies)
        for way in _ways():
            took[way.name] = one = _run(way, options.model, root, options.studies, len(took))
            print(f"{way.name:40} {one.wall_s:8.1f} s {one.rows} rows", file=sys.stderr)
    page = _page(took, options.studies, options.price, load, size)
    print(page)
    if options.into is not None:
        options.into.write_text(page)


def _ways() -> Iterator[Way]:
    """Give one way after the other; a cluster lives as long as its way is run."""
    yield Way(name="1", words=("--workers", "1"))
    yield Way(name="2", words=("--workers", "2"))
    yield Way(name="2, one of them killed", words=("--workers", "2"), kills=True)
    if importlib.util.find_spec("ray") is None:
        return
    yield Way(name="those of a local Ray", words=("--ray", "local"))
    for name, kills in (("those of two hosts of Ray, one each", False), ("the same, one host killed", True)):
        with two_hosts() as hosts:
            yield Way(name=name, words=("--ray", hosts.address), kills=kills, hosts=hosts)


def _page(took: dict[str, Took], studies: int, price: float, load: float, size: int) -> str:
    def row(name: str, one: Took) -> str:
        cpu_s = "not known" if one.cpu_s is None else f"{one.cpu_s / studies:.2f}"
        each = f"{one.wall_s / studies:.2f} | {cpu_s}"
        return f"| {name} | {each} | {one.first_mb:.0f} | {one.second_mb:.0f} | {one.rows} | {one.done} |"

    two = took["2"]
    assert two.cpu_s is not None
    cpu, megabytes = two.cpu_s / studies, size / studies / 1e6
    return PAGE.format(
        planned=PLANNED, price=price, studies=studies, slices=SLICES, side=SIDE, bytes=megabytes, cores=os.cpu_count(),
        load=load, rows="\n".join(row(name, one) for name, one in took.items()), cpu=cpu, k=CORES, shard=SHARD,
        same="yes" if len({one.masks for one in took.values()}) == 1 else "NO",
        hours=PLANNED * cpu / (3600 * CORES), core_hours=1000 * cpu / 3600, cost=price * 1000 * cpu / 3600,
        rate=megabytes * CORES / cpu, row_kb=two.summary_bytes / studies / 1e3, shards=PLANNED // SHARD,
    )  # fmt: skip


def _write(root: Path, studies: int) -> int:
    for number in range(studies):
        write_study(root / f"patient{number:04d}" / "study", number)
    return sum(path.stat().st_size for path in root.rglob("*.dcm"))


def _run(way: Way, model: Path, root: Path, studies: int, number: int) -> Took:
    out = root / f"out{number}"
    words = [sys.executable, "-m", "edgeseg", "run", str(model), str(root / "archive"), "--out", str(out)]
    words += ["--threads", "1", "--format", "png", *way.words]
    environment = os.environ | {"EDGESEG_SALT": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    memory: list[float] = []
    killed = not way.kills
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while running.poll() is None:
            below = list(_below(running.pid))
            others = [] if way.hosts is None else [way.hosts.head.pid, way.hosts.other.pid]
            others += [one for pid in others for one in _below(pid)]
            memory.append(sum(_memory_mb(pid) for pid in (running.pid, *below, *others)))
            if not killed and out.is_dir() and len(list(out.iterdir())) > studies // 3:
                _kill(way, below)
                killed = True
            time.sleep(0.1)
    wall_s, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if running.returncode != 0 or not killed:
        sys.exit(f"error: the way '{way.name}' ended with {running.returncode}, or nobody could be killed")
    summary = (out / "summary.json").read_bytes()
    rows = json.loads(summary)["patients"]
    half, by_ray = len(memory) // 2, "--ray" in way.words
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    masks = tuple(path.name.encode() + path.read_bytes() for path in sorted(out.rglob("*_mask.png")))
    return Took(
        wall_s=wall_s, cpu_s=None if by_ray else cpu_s,
        first_mb=max(memory[:half]), second_mb=max(memory[half:]), rows=len(rows),
        done=sum(row["status"] == "done" for row in rows), masks=masks, summary_bytes=len(summary),
    )  # fmt: skip


def _kill(way: Way, below: list[int]) -> None:
    """Kill a worker, or the host that it is on."""
    if way.hosts is not None:
        way.hosts.kill_other()
        return
    workers = [pid for pid in below if b"dealt.worker" in _words(pid)]
    os.kill(workers[0], signal.SIGKILL)


def _below(pid: int) -> Iterator[int]:
    """Give the processes that one started, and those that they started."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in path.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from _below(child)


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1e3


if __name__ == "__main__":
    main()
