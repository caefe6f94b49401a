"""How much memory, processor time and room on the disk one piece of work may take, and holding a process to it."""

from __future__ import annotations

import contextlib
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits; there the time alone is bounded, by the process that waits
    resource = None  # type: ignore[assignment]

_MEMORY_BYTES, _MEMORY_PER_BYTE, _MOST_COUNTED = 160 << 20, 5, 48 << 20
_CPU_S, _CPU_PER_BYTE, _WAIT_TIMES, _WAIT_MORE_S = 3.0, 0.25 / (1 << 20), 3.0, 5.0
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one piece of work may take.

    Attributes:
        memory_bytes: of address space beside what the process has when it begins.
        cpu_s: of processor time, whole seconds upwards.
        output_bytes: of any one file that it writes.
    """

    memory_bytes: int
    cpu_s: float
    output_bytes: int

    @classmethod
    def for_input(cls, size_bytes: int, *, output_bytes: int) -> Limits:
        """Give what reading so many bytes may take: something for any input, and more for larger ones.

        A small input that needs much is what bombs are; a scan of full size needs about three times its bytes.
        """
        return cls(
            memory_bytes=_MEMORY_BYTES + _MEMORY_PER_BYTE * min(size_bytes, _MOST_COUNTED),
            cpu_s=_CPU_S + _CPU_PER_BYTE * size_bytes,
            output_bytes=output_bytes,
        )

    @property
    def wait_s(self) -> float:
        """How long to wait for the work: processors may be busy with others."""
        return _WAIT_TIMES * self.cpu_s + _WAIT_MORE_S


def restrict(limits: Limits) -> None:
    """Hold this process to limits from now on, whatever it took before; they can be renewed."""
    if resource is None:
        return
    _set("RLIMIT_CPU", math.ceil(time.process_time() + limits.cpu_s))
    _set("RLIMIT_FSIZE", limits.output_bytes)
    _set("RLIMIT_CORE", 0)
    if (size := address_space()) is not None:
        _set("RLIMIT_AS", size + limits.memory_bytes)


def release() -> None:
    """Take the limit of memory away, so that the process can end its work in order."""
    if resource is not None:
        _set("RLIMIT_AS", None)


def address_space() -> int | None:
    """Return the bytes of address space that this process has; None where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _set(name: str, soft: int | None) -> None:
    """Set a soft limit; the hard one stays, so that it can be set anew for the next work."""
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    wanted = hard if soft is None else soft
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS knows RLIMIT_AS and refuses it
        resource.setrlimit(kind, (wanted, hard))
