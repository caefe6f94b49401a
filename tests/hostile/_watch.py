"""Watching a process and its children: the most memory that any of them held."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
MOST_MB, WIDE = 400, 4
"""`WIDE` is what a slow machine that is busy with others may take times as long."""
MOST_S, NEXT_S = 5.0 * WIDE, 1.0 * WIDE
_EVERY_S = 0.01


@dataclass
class Watch:
    """`peak_mb` of one process at a time; `seconds` from the start of the block."""

    pid: int
    peak_mb: float = 0.0
    seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        while not self._stop.wait(_EVERY_S):
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(self.pid)
                for one in (process, *process.children(recursive=True)):
                    self.peak_mb = max(self.peak_mb, one.memory_info().rss / 1e6)


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Watch]:
    watch, start = Watch(pid), time.perf_counter()
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.seconds = time.perf_counter() - start
        watch._stop.set()
        thread.join()


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def edgeseg(*words: str | Path) -> tuple[int, str, Watch]:
    """Run a command; gives its exit code, stderr, and what was seen of it. One that hangs is killed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeseg", *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )
    with watched(process.pid) as watch:
        try:
            _, told = process.communicate(timeout=3 * MOST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            _, told = process.communicate()
    return process.returncode, told, watch


def require_refused(code: int, told: str, watch: Watch) -> None:
    """Exit code 2 and one clear line, in time and memory."""
    assert code == 2, told
    lines = [line for line in told.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, told
    assert "Traceback" not in told
    assert watch.peak_mb < MOST_MB
    assert watch.seconds < MOST_S
