"""How much memory, processor time and room on the disk one piece of work may take, and holding a process to it.

Windows has no such limits, and macOS none of memory that holds: there time alone is bounded, by the process that waits.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from edgeseg.place.allowance import address_space, soft_limit

_MEMORY_BYTES, _MEMORY_PER_BYTE, _MOST_COUNTED = 160 << 20, 5, 48 << 20
_CPU_S, _CPU_PER_BYTE, _WAIT_TIMES, _WAIT_MORE_S = 3.0, 0.25 / (1 << 20), 3.0, 5.0


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
    soft_limit("RLIMIT_CPU", math.ceil(time.process_time() + limits.cpu_s))
    soft_limit("RLIMIT_FSIZE", limits.output_bytes)
    soft_limit("RLIMIT_CORE", 0)
    if (size := address_space()) is not None:
        soft_limit("RLIMIT_AS", size + limits.memory_bytes)


def release() -> None:
    """Take the limit of memory away, so that the process can end its work in order."""
    soft_limit("RLIMIT_AS", None)
