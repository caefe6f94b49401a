"""What this process may still take of the host's memory, where the system can bound it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

_HAS_LIMITS = resource is not None
_STATM = Path("/proc/self/statm")
_TURN = threading.Lock()
_HELD: list[int] = []


def address_space() -> int | None:
    """Return the bytes of address space that this process has; None where the system does not tell."""
    return _pages(0)


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not tell."""
    return _pages(1) or 0


def soft_limit(name: str, value: int | None) -> None:
    """Set a soft limit of this process, such as `RLIMIT_AS`; None lifts it. The hard one stays, so it can be set anew.

    Nothing happens where the system knows no such limit.
    """
    if not _HAS_LIMITS:
        return
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    wanted = hard if value is None else value
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS knows RLIMIT_AS and refuses it
        resource.setrlimit(kind, (wanted, hard))


@contextlib.contextmanager
def allowed(more_bytes: int) -> Iterator[None]:
    """Let this process take so much more address space until the block ends; an allocation beyond it fails.

    The limit is the process's, so other threads are held to it too. Where several are in such blocks at once, the first
    one's limit holds until the last is out.
    """
    size = address_space()
    if size is None or not _HAS_LIMITS:
        yield
        return
    with _TURN:
        if not _HELD:
            _HELD.append(resource.getrlimit(resource.RLIMIT_AS)[0])
            before = _HELD[0]
            soft_limit(
                "RLIMIT_AS", size + more_bytes if before == resource.RLIM_INFINITY else min(before, size + more_bytes)
            )
        _HELD.append(0)
    try:
        yield
    finally:
        with _TURN:
            _HELD.pop()
            if len(_HELD) == 1:
                before = _HELD.pop()
                soft_limit("RLIMIT_AS", None if before == resource.RLIM_INFINITY else before)


def _pages(column: int) -> int | None:
    try:
        return int(_STATM.read_text().split()[column]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
