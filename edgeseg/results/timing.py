"""The latency of a network that no artifact stands for."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import Environment, LatencyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkTiming:
    """A network as its builder gives it, counted and timed with untrained weights."""

    variant: str
    parameters: int
    macs: int
    latency: LatencyResult
    load_average: float | None
    environment: Environment
