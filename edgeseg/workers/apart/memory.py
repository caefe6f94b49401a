"""Memory that two processes share, read and written by copies: what the other one does to it is no fault of ours.

A map of it would end this process with SIGBUS where the other one cuts it short.
"""

from __future__ import annotations

import os
import tempfile

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1 << 30


def open_memory() -> int:
    """Return a descriptor of empty memory without a name; where the system knows none, of a file without a name."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("edgeseg")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def clear(handle: int) -> None:
    """Give the memory back to the system."""
    os.ftruncate(handle, 0)


def put(handle: int, data: bytes | memoryview, place: int = 0) -> int:
    """Write bytes from `place` on; returns where they end."""
    rest = memoryview(data).cast("B")
    while rest:
        written = os.pwrite(handle, rest[:_BLOCK], place)
        rest, place = rest[written:], place + written
    return place


def fill(handle: int, buffer: memoryview, place: int = 0) -> None:
    """Read as many bytes as the buffer has, from `place` on.

    Raises:
        EOFError: when there are fewer.
    """
    rest = buffer.cast("B")
    while rest:
        got = os.preadv(handle, [rest[:_BLOCK]], place)
        if not got:
            raise EOFError("the memory is shorter than was said")
        rest, place = rest[got:], place + got


def take(handle: int, place: int, size: int) -> bytearray:
    """Read `size` bytes; likewise."""
    found = bytearray(size)
    fill(handle, memoryview(found), place)
    return found


def put_array(handle: int, array: NDArray[np.uint8]) -> None:
    """Write an array from the start on, in C order."""
    put(handle, np.ascontiguousarray(array).reshape(-1).data)


def take_array(handle: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read an array of that shape, `uint8`, in C order.

    Raises:
        EOFError: when there are fewer bytes.
    """
    found = np.empty(shape, np.uint8)
    if found.size:
        fill(handle, found.reshape(-1).data)
    return found
