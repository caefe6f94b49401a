"""The routes that machines ask: whether the service lives, takes requests, with which model, and what it did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI, Response

from edgeseg.jsonio import to_json
from edgeseg.results import HealthAnswer
from edgeseg.results.serving import StateAnswer
from edgeseg.service.engine import Engine
from edgeseg.service.gate import Gate
from edgeseg.service.metrics import CONTENT_TYPE, Metrics
from edgeseg.service.refusal import UNAVAILABLE
from edgeseg.specs import ServeOptions
from edgeseg.specs.serve import LIVE_ROUTE, METRICS_ROUTE, READY_ROUTE

_RETRY_S = "5"


def as_json(answer: Any, status: int = 200) -> Response:
    """Answer with a result as JSON."""
    headers = {"Retry-After": _RETRY_S} if status == UNAVAILABLE else None
    return Response(to_json(answer, indent=None), status, headers, "application/json")


def add_health(api: FastAPI, gate: Gate, engine: Engine, options: ServeOptions) -> None:
    """Add the routes that need no token."""

    async def health() -> Response:
        """Whether the service is up, and with which model."""
        return as_json(HealthAnswer(status="ok", workers=options.threads, under_way=gate.under_way, model=engine.model))

    async def live() -> Response:
        """Whether the process lives; it does while it answers."""
        return as_json(StateAnswer(status="live"))

    async def ready() -> Response:
        """Whether new requests should be sent here: not once the service was told to stop."""
        if gate.draining:
            return as_json(StateAnswer(status="draining"), UNAVAILABLE)
        return as_json(StateAnswer(status="ready"))

    for route in dict.fromkeys(("/health", options.health_route)):
        _add(api, route, health, HealthAnswer)
    _add(api, LIVE_ROUTE, live, StateAnswer)
    _add(api, READY_ROUTE, ready, StateAnswer, {UNAVAILABLE: {"model": StateAnswer, "description": "it soon stops"}})


def add_metrics(api: FastAPI, metrics: Metrics) -> None:
    """Add the route for Prometheus."""

    @api.get(METRICS_ROUTE, include_in_schema=False)
    def page() -> Response:
        return Response(metrics.page(), headers={"content-type": CONTENT_TYPE})


def _add(
    api: FastAPI,
    route: str,
    answer: Callable[[], Awaitable[Response]],
    model: type,
    others: dict[int | str, dict[str, Any]] | None = None,
) -> None:
    async def head() -> Response:
        whole = await answer()
        return Response(status_code=whole.status_code, headers=dict(whole.headers))

    api.add_api_route(route, answer, response_model=model, responses=others or {})
    api.add_api_route(route, head, methods=["HEAD"], include_in_schema=False)
