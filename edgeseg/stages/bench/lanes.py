"""How many channels a processor's kernels compute at once, and what the host's memory can move."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CPUINFO = Path("/proc/cpuinfo")
COPY_BYTES, COPY_REPEATS = 1 << 25, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The groups that a kernel pads channels to: `given` of what it writes, `taken` of what it reads."""

    given: int
    taken: int

    def filled(self, channels_in: int, channels_out: int) -> float:
        """Return the share of multiplications on real channels, in (0, 1]."""
        padded_in = -(-channels_in // self.taken) * self.taken
        padded_out = -(-channels_out // self.given) * self.given
        return channels_in * channels_out / (padded_in * padded_out)


_TABLE = {
    "float32": (
        ("avx512f", Lanes(given=16, taken=1)),
        ("avx2", Lanes(given=8, taken=1)),
        ("", Lanes(given=4, taken=1)),
    ),
    "int8": (
        ("amx_int8", Lanes(given=16, taken=64)),
        ("avx512f", Lanes(given=16, taken=4)),
        ("avx2", Lanes(given=8, taken=4)),
        ("asimddp", Lanes(given=4, taken=4)),
        ("", Lanes(given=4, taken=2)),
    ),
}
"""By arithmetic, the widest vectors first: 32-bit sums fill a vector, and an integer dot product takes 4 channels,
or 64 for a tile."""


def lanes(arithmetic: str, cpuinfo: Path = CPUINFO) -> Lanes:
    """Return the lanes of this host for `float32` or `int8`, from the features that the system names."""
    try:
        words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split())
    except OSError:
        words = {"asimddp"} if platform.machine() in ("arm64", "aarch64") else set()
    return next(found for feature, found in _TABLE[arithmetic] if not feature or feature in words)


def copy_rate(clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the bytes read and written in a second by the best of several copies of 32 MiB, on one thread."""
    source = np.zeros(COPY_BYTES, np.uint8)
    target = np.ones_like(source)
    best = float("inf")
    for _ in range(COPY_REPEATS):
        start = clock()
        np.copyto(target, source)
        best = min(best, clock() - start)
    return 2 * COPY_BYTES / best
