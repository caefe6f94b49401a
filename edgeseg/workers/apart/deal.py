"""Messages dealt to several processes that are set apart: answers in the order of the messages, none lost."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from edgeseg.errors import DatasetError, LimitError
from edgeseg.workers.apart.process import Process

TRIES = 3
"""How often a message is handed out at most, where processes die over it."""
_AHEAD = 4
_Answer = dict[str, Any] | None


def answers(entry: str, messages: Iterable[dict[str, Any]], *, workers: int) -> Generator[_Answer, None, None]:
    """Have messages worked on by `workers` processes at once, and give the answers in the order of the messages.

    Messages are taken as there is work to hand out, a few for each process ahead of the answers, so that neither waits
    in memory. A process that dies is replaced, and its message handed out again, up to `TRIES` times; then the answer
    is None. When the caller ends, by an error or Ctrl-C, all processes are killed.

    Args:
        entry: a module that calls `listen` when it is run, and answers `end` like any other message.
        messages: each with the name of what to do in `op`.
        workers: how many processes.

    Raises:
        OutputError: when a process cannot be started.
    """
    stop = threading.Event()
    idle: SimpleQueue[Process | None] = SimpleQueue()
    for _ in range(workers):
        idle.put(None)
    waiting: deque[Future[_Answer]] = deque()
    threads = ThreadPoolExecutor(workers, thread_name_prefix="edgeseg-deal")
    try:
        for message in messages:
            waiting.append(threads.submit(_asked, entry, message, idle, stop))
            if len(waiting) >= _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        threads.shutdown(wait=True, cancel_futures=True)
        while not idle.empty():
            if (process := idle.get()) is not None:
                process.kill()


def _asked(entry: str, message: dict[str, Any], idle: SimpleQueue[Process | None], stop: threading.Event) -> _Answer:
    process = idle.get()
    try:
        for _ in range(TRIES):
            if stop.is_set():
                return None
            process = process or Process(entry)
            with contextlib.suppress(LimitError, DatasetError):  # it died, and is killed by now
                return process.ask(message, seconds=_FOREVER_S, left=lambda: 0.0 if stop.is_set() else _FOREVER_S)
            process = None
        return None
    finally:
        idle.put(process)


_FOREVER_S = float("inf")
