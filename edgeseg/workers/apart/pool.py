"""Processes that stand ready; each works for one at a time, and one that was killed is replaced at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Self

from edgeseg.workers.apart.process import Process

_MOST_JOBS = 500


class Pool:
    """May be used from several threads."""

    def __init__(self, entry: str, *, spare: int = 1) -> None:
        """Name the module that runs inside; nothing is started before it is needed or `warm` is called.

        Args:
            entry: a module that calls `listen` when it is run.
            spare: how many stand ready beside those at work.
        """
        self._entry, self._spare = entry, spare
        self._lock, self._idle, self._closed = threading.Lock(), list[Process](), False

    def warm(self, count: int) -> None:
        """Let `count` processes and the spare ones start, without waiting for them."""
        self._fill(count + self._spare)

    @contextlib.contextmanager
    def lend(self) -> Iterator[Process]:
        """Give a process for one piece of work; when it is not `settled` at the end it is killed, and replaced.

        Raises:
            OutputError: when none can be started.
        """
        process = self._take()
        while not process.rested():
            process.kill()
            process = self._take()
        try:
            yield process
        finally:
            self._back(process)

    def close(self) -> None:
        """End all that are idle; those at work end with it."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_what: object) -> None:
        self.close()

    def _take(self) -> Process:
        dead: list[Process] = []
        with self._lock:
            for process in [one for one in self._idle if not one.alive]:
                self._idle.remove(process)
                dead.append(process)
            ready = next((one for one in self._idle if one.ready), self._idle[0] if self._idle else None)
            if ready is not None:
                self._idle.remove(ready)
        for process in dead:
            process.kill()
        taken = ready or Process(self._entry)
        self._fill(self._spare)
        return taken

    def _back(self, process: Process) -> None:
        process.jobs += 1
        if process.settled and process.alive and process.jobs < _MOST_JOBS:
            with self._lock:
                if not self._closed:
                    self._idle.append(process)
                    return
        process.kill()
        self._fill(self._spare)

    def _fill(self, wanted: int) -> None:
        with self._lock:
            while not self._closed and len(self._idle) < wanted:
                self._idle.append(Process(self._entry))
