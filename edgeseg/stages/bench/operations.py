"""One operation of a network with the times it took: what the two ways to find them have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One operation in the order of the graph.

    Attributes:
        name: the runtime's.
        kind: the operator.
        shape: of what it gives.
        seconds: of each counted run.
        macs: multiply-accumulates, None where unknown.
        bytes_moved: what it reads and writes.
        channels: those that it sums over and those that it gives, where it multiplies.
        arithmetic: `int8` or `float32`.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    seconds: tuple[float, ...]
    macs: int | None
    bytes_moved: int
    channels: tuple[int, int] | None
    arithmetic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """All operations of a file, how they were told apart, and the seconds of the whole network in each counted run."""

    method: str
    runtime: str
    operations: tuple[Timed, ...]
    whole: tuple[float, ...]
