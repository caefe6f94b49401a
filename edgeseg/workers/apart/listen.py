"""What runs inside a process that is set apart: take a message, work on it within limits, answer, and again."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from edgeseg.errors import EdgeSegError, LimitError
from edgeseg.place.allowance import address_space, resident
from edgeseg.workers.apart.limits import Limits, release, restrict
from edgeseg.workers.apart.memory import clear

Answer = dict[str, Any]
_GROWN_BYTES = 64 << 20
_MOST_TEXT = 2000


class Inside:
    """One process from within: the memory that it shares, and the limits that hold."""

    def __init__(self, memory: int) -> None:
        """Take the descriptor of the memory."""
        self.memory = memory
        self._limits: Limits | None = None

    def begin(self, limits: Limits) -> None:
        """Hold to limits from now on."""
        self._limits = limits
        restrict(limits)

    def pause(self) -> None:
        """Hold to no limit of memory until `go_on`: for what we do ourselves, such as an import."""
        release()

    def go_on(self, seconds: float) -> None:
        """Hold to the limits that were set, with so much processor time from now on."""
        assert self._limits is not None
        restrict(replace(self._limits, cpu_s=seconds))

    def told(self, error: Exception) -> Answer:
        """Put an error into words: its kind, its text, and a status where it has one."""
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, MemoryError) and self._limits is not None:
                error = too_large(self._limits)
                break
            cause = cause.__cause__ or cause.__context__
        known = isinstance(error, EdgeSegError) or hasattr(error, "status")
        return {
            "error": type(error).__name__ if known else "",
            "text": str(error)[:_MOST_TEXT] if known else type(error).__name__,
            "status": getattr(error, "status", None),
        }


def too_large(limits: Limits) -> LimitError:
    """Say that memory was not enough."""
    return LimitError(
        f"reading it takes more than the {limits.memory_bytes >> 20} MB of memory that so small a scan may take; it is "
        "damaged or hostile, or packed very densely; unpack it, or send fewer slices"
    )


def listen(make: Callable[[Inside], Mapping[str, Callable[[Answer], Answer]]]) -> None:
    """Answer messages until the other side is gone or says so; descriptors are the first two arguments.

    Args:
        make: gives what is done for a message by the name in its `op`; each takes the message and gives the answer.
    """
    channel, inside = Connection(int(sys.argv[1])), Inside(int(sys.argv[2]))
    handlers = make(inside)
    begun = resident()
    channel.send_bytes(json.dumps({"ready": True, "address_space": address_space()}).encode())
    while True:
        try:
            message = json.loads(channel.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)
        try:
            answer = handlers[message["op"]](message)
        except Exception as error:
            answer = inside.told(error)
        if message["op"] == "end":
            release()
            clear(inside.memory)
            answer["grown"] = resident() - begun > _GROWN_BYTES
        channel.send_bytes(json.dumps(answer).encode())
