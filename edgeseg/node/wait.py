"""What has to wait before it is tried again, by a clock that does not jump; twice as long each time."""

from __future__ import annotations

import threading
import time

_MOST_DOUBLED = 6


class Waits:
    """May be used from several threads."""

    def __init__(self, first_s: float) -> None:
        """Let the first wait last so long, and none longer than 64 times that."""
        self._lock, self._first_s = threading.Lock(), first_s
        self._missed: dict[int, tuple[int, float, float]] = {}

    def missed(self, study: int) -> float:
        """Say that it did not work; gives the seconds until it may be tried again."""
        now = time.monotonic()
        with self._lock:
            times, _, first = self._missed.get(study, (0, 0.0, now))
            seconds = float(self._first_s * 2 ** min(times, _MOST_DOUBLED))
            self._missed[study] = (times + 1, now + seconds, first)
        return seconds

    def times(self, study: int) -> int:
        """Say how often it did not work."""
        with self._lock:
            return self._missed.get(study, (0, 0.0, 0.0))[0]

    def since_s(self, study: int) -> float:
        """Say how long ago it first did not work."""
        with self._lock:
            return time.monotonic() - self._missed[study][2] if study in self._missed else 0.0

    def waiting(self) -> list[int]:
        """List what may not be tried yet."""
        now = time.monotonic()
        with self._lock:
            return [study for study, (_, due, _) in self._missed.items() if due > now]

    def forget(self, study: int) -> None:
        """Let it begin anew."""
        with self._lock:
            self._missed.pop(study, None)
