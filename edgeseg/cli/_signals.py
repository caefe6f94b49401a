"""Ctrl-C and SIGTERM: the command unwinds, so that nothing half-written stays, whatever libraries make of it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

EXIT_INTERRUPTED, EXIT_TERMINATED = 128 + signal.SIGINT, 128 + signal.SIGTERM
"""What shells give for a process that such a signal ended."""
_USUAL = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Heard:
    """Which of the two came; a library may have turned the `KeyboardInterrupt` into an error of its own."""

    number: int | None = None

    @property
    def words(self) -> str:
        """What to tell of it."""
        return "terminated" if self.number == signal.SIGTERM else "interrupted"

    @property
    def exit_code(self) -> int:
        """What to end with."""
        return EXIT_TERMINATED if self.number == signal.SIGTERM else EXIT_INTERRUPTED


@contextlib.contextmanager
def heeding() -> Iterator[Heard]:
    """Raise `KeyboardInterrupt` at the first SIGTERM too, as at Ctrl-C, until the block ends; a second ends at once.

    What took a signal for itself before keeps it. Outside of the main thread nothing happens.
    """
    heard, owner = Heard(), os.getpid()
    before: dict[int, Any] = {}

    def heed(number: int, _: FrameType | None) -> None:
        if number == signal.SIGTERM or os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
        if os.getpid() != owner:  # a copy of this process, which others end so
            os.kill(os.getpid(), number)
            return
        heard.number = number
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        taken = [one for one, usual in _USUAL.items() if signal.getsignal(one) == usual]
        before = {one: signal.signal(one, heed) for one in taken}
    try:
        yield heard
    finally:
        for one, old in before.items():
            signal.signal(one, old)
