"""The host's rate of float32 matrix products, in a process of its own: NumPy's threads are fixed when it is loaded."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

SIDE = 1024
BUDGET_S = 0.4
MIN_REPEATS = 5
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def best_seconds(clock: Callable[[], float] = time.perf_counter, *, side: int = SIDE) -> tuple[float, int]:
    """Return the seconds of the fastest of several `side` x `side` products, and how many there were."""
    rng = np.random.default_rng(0)
    left, right = (rng.random((side, side), np.float32) for _ in range(2))
    out = np.empty_like(left)
    best, repeats, begun = float("inf"), 0, clock()
    while repeats < MIN_REPEATS or clock() - begun < BUDGET_S:
        start = clock()
        np.matmul(left, right, out=out)
        best, repeats = min(best, clock() - start), repeats + 1
    return best, repeats


def main() -> None:
    """Print the seconds and the repeats."""
    seconds, repeats = best_seconds()
    sys.stdout.write(f"{seconds!r} {repeats}\n")


if __name__ == "__main__":
    main()
