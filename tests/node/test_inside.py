"""The process that reads studies for a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeseg.workers.apart import Pool
from tests.node._bench import Bench

Write = Callable[..., Path]


def test_the_process_that_reads_is_kept(bench: Bench, readers: Pool, write_study: Write, tmp_path: Path) -> None:
    """What libraries fill as they are first used would count as grown by the study."""
    pids = []
    for number in range(2):
        bench.received(write_study(tmp_path / f"sent-{number}", f"study-{number}"))
        assert bench.worker().step()
        with readers.lend() as process:
            pids.append(process._process.pid)
            process.settle({"op": "end"})
    assert pids[0] == pids[1]
