from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from edgeseg.service.gate import Gate
from edgeseg.service.refusal import REFUSALS
from edgeseg.specs import INTENDED_USE, SEGMENT_ROUTE

_EVERY = list(HealthCheck)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_is_answered_as_the_description_says(start: Callable[..., Gate], mode: Any) -> None:
    """Bodies and queries that the description allows, and such that it does not; about 20 for each route.

    That every picture is taken is not asked for: the description cannot say how many channels it must have.
    """
    schema = schemathesis.openapi.from_asgi("/openapi.json", start())
    tried = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok)
        operation = found.ok()
        if mode is schemathesis.GenerationMode.NEGATIVE and operation.method.upper() == "GET":
            continue  # it takes nothing that could be wrong

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=_EVERY)
        def answered(case: schemathesis.Case[Any]) -> None:
            response = case.call()
            tried.append(response.status_code)
            case.validate_response(response, excluded_checks=[positive_data_acceptance])

        answered()
    assert len(tried) > 20
    assert max(tried) < 500


def test_the_description_names_every_answer(call: Callable[..., httpx.Response]) -> None:
    told = call("GET", "/openapi.json", options={"health_route": "/alive", "predict_route": "/v1/models/m:predict"})
    paths = told.json()["paths"]
    assert set(paths) == {"/health", "/alive", "/live", "/ready", SEGMENT_ROUTE, "/v1/models/m:predict"}
    for route in (SEGMENT_ROUTE, "/v1/models/m:predict"):
        assert {str(status) for status in REFUSALS} | {"200"} == set(paths[route]["post"]["responses"])


def test_the_description_asks_for_the_token_where_the_service_does(call: Callable[..., httpx.Response]) -> None:
    assert "securitySchemes" not in call("GET", "/openapi.json").json()["components"]
    token = "0123456789abcdef"
    told = call("GET", "/openapi.json", options={"token": token}, headers={"authorization": f"Bearer {token}"}).json()
    (name,) = told["components"]["securitySchemes"]
    assert told["components"]["securitySchemes"][name] == {"type": "http", "scheme": "bearer"}
    asked = {path for path, methods in told["paths"].items() if any("security" in one for one in methods.values())}
    assert asked == {SEGMENT_ROUTE, "/predict"}


def test_the_page_shows_each_route_and_loads_nothing(call: Callable[..., httpx.Response]) -> None:
    page = call("GET", "/docs").text
    assert INTENDED_USE in page
    assert all(f"<code>{route}" in page for route in ("GET /health", f"POST {SEGMENT_ROUTE}", "POST /predict"))
    assert re.findall(r"<script|src=|https?://", page) == []
