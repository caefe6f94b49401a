"""How long a request may take, whoever works on it."""

from __future__ import annotations

import threading
import time

from edgeseg.service.refusal import UNAVAILABLE, Refusal


class Deadline:
    """A point in time that can be brought forward to now; threads ask it after each slice."""

    def __init__(self, seconds: float) -> None:
        """Count from now."""
        self._seconds, self._end, self._cancelled = seconds, time.monotonic() + seconds, threading.Event()

    @property
    def left_s(self) -> float:
        """What is left; 0 when it is over."""
        return 0.0 if self._cancelled.is_set() else max(0.0, self._end - time.monotonic())

    def cancel(self) -> None:
        """Let work on the request end at the next slice."""
        self._cancelled.set()

    def refusal(self) -> Refusal:
        """What a client is told."""
        return Refusal(
            UNAVAILABLE, f"the request took longer than {self._seconds:g} s; send fewer slices at a time, or try later"
        )

    def check(self) -> None:
        """Raise `Refusal` when the time is over."""
        if self.left_s <= 0:
            raise self.refusal()
