"""Who may call, what is counted, and what machines that watch the service are told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeseg.errors import OptionError
from edgeseg.service.gate import Gate
from edgeseg.service.metrics import REASONS
from edgeseg.service.refusal import REFUSALS
from edgeseg.specs import SEGMENT_ROUTE, ServeOptions

Call = Callable[..., httpx.Response]
Picture = Callable[..., bytes]
PNG = {"content-type": "image/png"}
TOKEN = "0123456789abcdef-secret"
ORIGIN = "https://viewer.example"


def _client(gate: Gate) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://service")


@pytest.mark.parametrize(
    "sent", [None, "", "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", TOKEN]
)
def test_without_the_token_nothing_but_health_is_answered(call: Call, picture: Picture, sent: str | None) -> None:
    headers = PNG if sent is None else PNG | {"authorization": sent}
    for method, route in (("POST", SEGMENT_ROUTE), ("GET", "/docs"), ("GET", "/metrics"), ("GET", "/nothing")):
        answer = call(method, route, content=picture(), headers=headers, options={"token": TOKEN, "metrics": True})
        assert (answer.status_code, set(answer.json())) == (401, {"error"})
        assert answer.headers["www-authenticate"] == 'Bearer realm="edgeseg"'
        assert TOKEN not in answer.text
    for route in ("/health", "/alive", "/live", "/ready"):
        assert call("GET", route, options={"token": TOKEN, "health_route": "/alive"}).status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_with_the_token_all_is_as_before(
    call: Call, picture: Picture, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    headers = PNG | {"authorization": f"{scheme} {TOKEN}"}
    with caplog.at_level(logging.DEBUG):
        answer = call("POST", SEGMENT_ROUTE, content=picture(), headers=headers, options={"token": TOKEN})
    assert (answer.status_code, answer.json()["tumour_pixels"]) == (200, 24)
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(ServeOptions(token=TOKEN))


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "0123456789abc def", "0123456789abcde\N{SNOWMAN}"])
def test_a_token_that_is_none_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(OptionError, match="the token has") as refused:
        ServeOptions(token=token)
    assert len(token) < 10 or token not in str(refused.value)


@pytest.mark.parametrize("origin", ["*", "viewer.example", "https://*.example", f"{ORIGIN}/page", "null", ""])
def test_an_origin_is_named_whole(origin: str) -> None:
    with pytest.raises(OptionError, match="the origin is"):
        ServeOptions(origins=(origin,))


def test_browsers_may_call_from_named_origins_alone(call: Call, picture: Picture) -> None:
    options = {"origins": (ORIGIN,), "token": TOKEN}
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    allowed = call("OPTIONS", SEGMENT_ROUTE, headers={"origin": ORIGIN, **asks}, options=options)
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    refused = call("OPTIONS", SEGMENT_ROUTE, headers={"origin": "https://other.example", **asks}, options=options)
    assert refused.status_code == 400
    headers = PNG | {"authorization": f"Bearer {TOKEN}"}
    for origin, told in ((ORIGIN, ORIGIN), ("https://other.example", None)):
        answer = call("POST", SEGMENT_ROUTE, content=picture(), headers=headers | {"origin": origin}, options=options)
        assert answer.headers.get("access-control-allow-origin") == told
    without = call("POST", SEGMENT_ROUTE, content=picture(), headers=PNG | {"origin": ORIGIN}, options=options)
    assert (without.status_code, without.headers["access-control-allow-origin"]) == (401, ORIGIN)
    by_default = call("POST", SEGMENT_ROUTE, content=picture(), headers=PNG | {"origin": ORIGIN})
    assert not any(name.startswith("access-control") for name in by_default.headers)


def test_head_is_answered_where_health_is(call: Call) -> None:
    for route in ("/health", "/alive", "/live", "/ready"):
        answer = call("HEAD", route, options={"health_route": "/alive"})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"] == "application/json"


def test_ready_says_no_when_the_service_was_told_to_stop_and_live_and_work_go_on(
    start: Callable[..., Gate], picture: Picture
) -> None:
    gate = start()

    async def go() -> None:
        async with _client(gate) as client:
            assert (await client.get("/ready")).json() == {"status": "ready"}
            gate.draining = True
            ready = await client.get("/ready")
            assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
            assert (await client.head("/ready")).status_code == 503
            assert (await client.get("/live")).status_code == 200
            assert (await client.get("/health")).status_code == 200
            assert (await client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)).status_code == 200

    asyncio.run(go())


def test_metrics_are_off_unless_they_are_asked_for(call: Call) -> None:
    assert call("GET", "/metrics").status_code == 404


def test_metrics_count_and_hold_nothing_of_a_request(start: Callable[..., Gate], picture: Picture) -> None:
    gate = start(metrics=True)

    async def go() -> str:
        async with _client(gate) as client:
            for content in (picture(), picture(), picture()[:50]):
                await client.post(f"{SEGMENT_ROUTE}?patient=Jane", content=content, headers=PNG | {"x-id": "4711"})
            await client.post(SEGMENT_ROUTE, files={"slices": ("Doe.png", picture())})
            await client.get("/Jane/Doe")
            await client.request("JANE", "/health")
            answer = await client.get("/metrics")
            assert answer.headers["content-type"].startswith("text/plain; version=")
            return answer.text

    text = asyncio.run(go())
    assert not any(word in text for word in ("Jane", "Doe", "4711", "JANE"))
    found = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            found[(one.name, *sorted(one.labels.items()))] = (one.value, one.labels)

    def value(name: str, **labels: str) -> float:
        return found[(name, *sorted(labels.items()))][0]

    assert value("edgeseg_requests_total", method="POST", route=SEGMENT_ROUTE, status="200") == 3
    assert value("edgeseg_requests_total", method="GET", route="(other)", status="404") == 1
    assert value("edgeseg_requests_total", method="?", route="/health", status="405") == 1
    assert value("edgeseg_refused_total", reason="unusable") == 1
    assert value("edgeseg_refused_total", reason="busy") == 0
    assert value("edgeseg_slices_total") == 3
    assert value("edgeseg_requests_under_way") == 0
    for phase, count in (("wait", 3), ("work", 3), ("request", 4)):
        assert value("edgeseg_phase_seconds_count", phase=phase) == count
    (model,) = [labels for (name, *_), (_, labels) in found.items() if name == "edgeseg_model_info"]
    assert len(model["sha256"]) == 64


def test_every_refusal_has_a_reason() -> None:
    assert set(REASONS) == set(REFUSALS)
    assert len(set(REASONS.values())) == len(REASONS)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.9.1", "[::1]:8080", "scans.example:443", "Scans.Example"],
)
def test_the_service_goes_by_loopback_names_and_those_allowed(call: Call, picture: Picture, host: str) -> None:
    answer = call(
        "POST", SEGMENT_ROUTE, content=picture(), headers=PNG | {"host": host}, options={"hosts": ("scans.example",)}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "192.0.2.7", "0.0.0.0",
        "localhost@evil.example", "localhost:8080/x", "2130706433", "[::2]", "", "localhost:port",
        "localhost localhost", "xn--localhost", "127.0.0.1:8080:1", "localhost#", "localhost?",
    ],
)  # fmt: skip
def test_a_name_that_a_foreign_site_could_point_here_is_refused(call: Call, picture: Picture, host: str) -> None:
    for method, route in (("POST", SEGMENT_ROUTE), ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/metrics")):
        answer = call(method, route, content=picture(), headers=PNG | {"host": host}, options={"hosts": ()})
        assert (answer.status_code, set(answer.json())) == (403, {"error"})
        assert "--allow-host" in answer.text
        assert "evil" not in answer.text


def test_health_may_be_asked_by_address_but_not_by_a_foreign_name(call: Call) -> None:
    for route in ("/health", "/live", "/ready"):
        assert call("GET", route, headers={"host": "192.0.2.7:8080"}, options={"hosts": ()}).status_code == 200
        assert call("GET", route, headers={"host": "evil.example"}, options={"hosts": ()}).status_code == 403


def test_who_listens_everywhere_is_reached_by_address_and_by_the_names_allowed(call: Call, picture: Picture) -> None:
    for host, status in (("192.0.2.7", 200), ("[2001:db8::1]:80", 200), ("evil.example", 403)):
        answer = call(
            "POST",
            SEGMENT_ROUTE,
            content=picture(),
            headers=PNG | {"host": host},
            options={"host": "0.0.0.0", "hosts": ()},
        )
        assert answer.status_code == status
    assert call("GET", "/docs", headers={"host": "any.example"}, options={"hosts": ("*",)}).status_code == 200


@pytest.mark.parametrize("host", ["", "http://scans.example", "scans.example:80", "a b", "*.example", "scans.example/"])
def test_a_host_to_allow_is_a_name_alone(host: str) -> None:
    with pytest.raises(OptionError, match="the host to allow is"):
        ServeOptions(hosts=(host,))


@pytest.mark.parametrize(
    "sent",
    [
        {"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://localhost:3000"}, {"origin": ""},
        {"sec-fetch-site": "cross-site"}, {"origin": "http://localhost.evil.example"}, {"origin": "file://"},
        {"origin": "http://localhost", "sec-fetch-site": "cross-site"},
    ],
)  # fmt: skip
def test_a_foreign_page_is_refused_before_anything_is_read(call: Call, picture: Picture, sent: dict[str, str]) -> None:
    for options in ({}, {"origins": (ORIGIN,)}):
        for method, route in (("POST", SEGMENT_ROUTE), ("POST", "/predict"), ("GET", "/docs"), ("GET", "/health")):
            headers = PNG | {"host": "localhost"} | sent
            answer = call(method, route, content=picture(), headers=headers, options=options)
            assert answer.status_code == 403
            assert "evil" not in answer.text
            assert not any(name.startswith("access-control-allow-origin") for name in answer.headers)


def test_its_own_page_and_allowed_ones_are_let_through(call: Call, picture: Picture) -> None:
    for sent in (
        {"origin": "http://localhost:8080", "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"},
        {"origin": "https://localhost:8080"}, {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
    ):  # fmt: skip
        headers = PNG | {"host": "localhost:8080"} | sent
        answer = call("POST", SEGMENT_ROUTE, content=picture(), headers=headers, options={"origins": (ORIGIN,)})
        assert answer.status_code == 200
