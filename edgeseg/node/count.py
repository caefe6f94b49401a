"""Counts for Prometheus; labels are fixed words and names from the configuration, never anything that was received."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from edgeseg.node.queue import STATES

_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class Counts:
    """What one node has done since it started, in a registry of its own."""

    def __init__(self) -> None:
        """Begin at 0."""
        self.registry = own = CollectorRegistry()
        self._took = Counter("edgeseg_node_objects", "Objects taken: new, again, other.", ("came",), registry=own)
        self._bytes = Counter("edgeseg_node_received_bytes", "Bytes of objects taken.", registry=own)
        self._refused = Counter("edgeseg_node_refused", "Associations and objects refused.", ("why",), registry=own)
        self._studies = Counter("edgeseg_node_studies", "Studies by how they ended.", ("end",), registry=own)
        self._sent = Counter("edgeseg_node_sendings", "Sendings.", ("destination", "end"), registry=own)
        self._seconds = Histogram(
            "edgeseg_node_seconds", "Seconds to segment, to send.", ("phase",), buckets=_SECONDS, registry=own
        )
        self._waiting = Gauge("edgeseg_node_queue", "Studies in the queue.", ("state",), registry=own)
        self._open = Gauge("edgeseg_node_associations", "Associations that are open.", registry=own)
        for came in ("new", "again", "other"):
            self._took.labels(came)

    def watch(self, studies: Callable[[str], int], associations: Callable[[], int]) -> None:
        """Ask these for the number of studies in a state, and of associations."""
        self._open.set_function(associations)
        for state in STATES:
            self._waiting.labels(state).set_function(lambda state=state: studies(state))  # type: ignore[misc]

    def took(self, came: str, size: int) -> None:
        """Count an object."""
        self._took.labels(came).inc()
        self._bytes.inc(size)

    def refused(self, why: str) -> None:
        """Count what was refused, by a fixed word."""
        self._refused.labels(why).inc()

    def ended(self, end: str, seconds: float | None = None) -> None:
        """Count a study: done, failed, again, later."""
        self._studies.labels(end).inc()
        if seconds is not None:
            self._seconds.labels("segment").observe(seconds)

    def sent(self, destination: str, end: str, seconds: float) -> None:
        """Count a sending: sent, failed, later."""
        self._sent.labels(destination, end).inc()
        self._seconds.labels("send").observe(seconds)
