"""Counts for Prometheus; labels are routes, statuses and fixed words, never anything that a request brought."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from edgeseg.results import SegmentAnswer, ServedModel
from edgeseg.service import refusal

CONTENT_TYPE = CONTENT_TYPE_LATEST
REASONS = {
    refusal.BAD_REQUEST: "damaged",
    refusal.NO_TOKEN: "token",
    refusal.FOREIGN: "foreign",
    refusal.TOO_SLOW: "slow",
    refusal.TOO_LARGE: "large",
    refusal.WRONG_TYPE: "type",
    refusal.UNUSABLE: "unusable",
    refusal.TOO_MANY: "busy",
    refusal.UNAVAILABLE: "unavailable",
}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """What one service has done since it started, in a registry of its own."""

    def __init__(self, model: ServedModel) -> None:
        """Begin at 0 for a model."""
        self._registry = own = CollectorRegistry()
        self._requests = Counter("edgeseg_requests", "Requests.", ("method", "route", "status"), registry=own)
        self._refused = Counter("edgeseg_refused", "Requests refused.", ("reason",), registry=own)
        self._slices = Counter("edgeseg_slices", "Slices segmented.", registry=own)
        self._warned = Counter("edgeseg_warned", "Answers that carry a warning.", registry=own)
        self._seconds = Histogram(
            "edgeseg_phase_seconds", "Seconds: wait, work, whole request.", ("phase",), buckets=_SECONDS, registry=own
        )
        self._under_way = Gauge("edgeseg_requests_under_way", "Requests under way.", registry=own)
        told = {name: getattr(model, name) for name in ("sha256", "variant", "target", "runtime", "edgeseg")}
        Info("edgeseg_model", "The model.", registry=own).info(told)
        for reason in REASONS.values():
            self._refused.labels(reason)

    def watch(self, under_way: Callable[[], int]) -> None:
        """Ask this for the number of requests under way."""
        self._under_way.set_function(under_way)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; method and route are of a known few."""
        self._requests.labels(method, route, str(status)).inc()
        if method == "POST":
            self._seconds.labels("request").observe(seconds)
            if status in REASONS:
                self._refused.labels(REASONS[status]).inc()

    def segmented(self, answer: SegmentAnswer) -> None:
        """Count what was segmented; called from the threads that work."""
        self._slices.inc(len(answer.slices))
        self._warned.inc(bool(answer.warnings))
        self._seconds.labels("wait").observe(answer.times.waited_ms / 1e3)
        self._seconds.labels("work").observe((answer.times.total_ms - answer.times.waited_ms) / 1e3)

    def page(self) -> bytes:
        """Write all as Prometheus reads it."""
        return generate_latest(self._registry)
