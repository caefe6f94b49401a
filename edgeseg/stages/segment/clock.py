"""Times as results state them: milliseconds with three digits, since a clock tells no more than a microsecond."""

from __future__ import annotations

import time


def rounded_ms(milliseconds: float) -> float:
    """Return the milliseconds to the nearest microsecond."""
    return round(float(milliseconds), 3)


def ms_since(start: float) -> float:
    """Return how long ago `start`, a reading of `time.perf_counter` in seconds, was: milliseconds, rounded."""
    return rounded_ms((time.perf_counter() - start) * 1e3)
