"""What many studies in a row leave behind in `edgeseg node`: memory, processes, files and the queue.

    python benchmarks/node_long.py MODEL [--studies 1000] [--into docs/measured/node.md]

Each study has 3 x 4 slices of 128 x 128; a `storescp` takes the results and keeps none. Studies are sent one after
another, at most four ahead of what is done. Needs the extra `node`, and DCMTK.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import node_peers as peers

_AHEAD, _WAIT_S, _SILENCE_S, _SLICES, _SIDE, _MARKS = 4, 600.0, 1.0, 4, 128, 5
PART = """`python benchmarks/node_long.py MODEL --studies {studies} --into docs/measured/node.md` wrote this:
studies of 3 x {slices} slices of {side} x {side}, at most {ahead} of them under way, results sent to a `storescp`.
Memory is what a process holds (RSS); `files open` are those of the node itself. The queue, with its journal of up to
4 MB, remembers a study for `keep_rows_d` days: from the second row on it grew by {row_kb:.1f} kB a study.

| studies | node, MB | its processes, MB | processes | files open | queue, kB | other files of the node, kB |
|---|---|---|---|---|---|---|
{rows}

{told}
"""


def main() -> None:
    """Print the table, and write it into a page where one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows, states = _measure(options.model, options.studies, Path(folder))
    first, last = rows[min(1, len(rows) - 1)], rows[-1]
    row_kb = (last["queue_kb"] - first["queue_kb"]) / max(1, last["studies"] - first["studies"])
    told = f"Of {options.studies} studies, {states.get('sent', 0)} ended as sent."
    text = PART.format(
        studies=options.studies, slices=_SLICES, side=_SIDE, ahead=_AHEAD, row_kb=row_kb, told=told,
        rows="\n".join(map(_row, rows)),
    )  # fmt: skip
    print(text)
    if options.into is not None:
        peers.put_section(options.into, "long", text)


def _measure(model: Path, count: int, root: Path) -> tuple[list[dict[str, Any]], dict[str, int]]:
    marks, rows = {10, 100, *(count * part // _MARKS for part in range(1, _MARKS + 1))}, []
    with (
        peers.storescp(root, keep=False) as archive,
        peers.node(model, root / "node", archive.port, silence_s=_SILENCE_S) as (port, process),
    ):
        state = root / "node" / "state"
        for number in range(1, count + 1):
            folder = peers.write_study(root / "study", number, slices=_SLICES, side=_SIDE)
            peers.send(port, folder)
            shutil.rmtree(folder)
            _wait(state, number - _AHEAD)
            if number in marks:
                _wait(state, number)
                rows.append(_look(process.pid, state, number))
                print(_row(rows[-1]), flush=True)
        return rows, _states(state)


def _look(pid: int, state: Path, number: int) -> dict[str, Any]:
    time.sleep(2.0)  # a process that is being replaced is there again
    ends = time.monotonic() + _WAIT_S
    while [*(state / "in").iterdir(), *(state / "out").iterdir()] and time.monotonic() < ends:
        time.sleep(0.1)  # until the last study is deleted
    own, *others = peers.family(pid)
    queue = [path for path in state.iterdir() if path.name.startswith("queue.sqlite")]
    rest = [path for path in state.rglob("*") if path.is_file() and path not in queue]
    return {
        "studies": number,
        "node_mb": peers.resident_mb(own),
        "others_mb": [peers.resident_mb(one) for one in others],
        "files": len(list(Path(f"/proc/{own}/fd").iterdir())),
        "queue_kb": sum(path.stat().st_size for path in queue) / 1e3,
        "rest_kb": sum(path.stat().st_size for path in rest) / 1e3,
    }


def _row(one: dict[str, Any]) -> str:
    others = " + ".join(f"{mb:.0f}" for mb in sorted(one["others_mb"]))
    return (
        f"| {one['studies']} | {one['node_mb']:.1f} | {others} | {1 + len(one['others_mb'])} | {one['files']} | "
        f"{one['queue_kb']:.0f} | {one['rest_kb']:.0f} |"
    )


def _states(state: Path) -> dict[str, int]:
    file = sqlite3.connect(f"file:{state / 'queue.sqlite'}?mode=ro", uri=True)
    try:
        return dict(file.execute("SELECT state, COUNT(*) FROM studies GROUP BY state").fetchall())
    finally:
        file.close()


def _wait(state: Path, count: int) -> None:
    """Wait until so many studies have ended, well or not."""
    ends = time.monotonic() + _WAIT_S
    while count > 0:
        found = _states(state)
        if found.get("sent", 0) + found.get("failed", 0) >= count:
            return
        if time.monotonic() > ends:
            raise SystemExit(f"error: {found} after {_WAIT_S:.0f} s without an end")
        time.sleep(0.05)


if __name__ == "__main__":
    if not Path("/proc/self/status").exists():
        raise SystemExit(f"error: memory is read from /proc, which {os.name} has not; run it on Linux")
    main()
