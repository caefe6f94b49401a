from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from edgeseg.service import engine
from edgeseg.service.gate import Gate
from edgeseg.specs import SEGMENT_ROUTE
from edgeseg.stages.segment.case import segment_case

Picture = Callable[..., bytes]
PNG = {"content-type": "image/png"}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Work waits until this is set."""
    free, real = threading.Event(), segment_case

    def wait(*given: Any, **named: Any) -> Any:
        assert free.wait(30)
        return real(*given, **named)

    monkeypatch.setattr(engine, "segment_case", wait)
    return free


def _client(gate: Gate) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://service")


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def test_overload_is_refused_and_what_was_taken_is_answered(
    start: Callable[..., Gate], picture: Picture, held: threading.Event
) -> None:
    gate = start(workers=1, waiting=1)

    async def go() -> None:
        async with _client(gate) as client:
            taken = [asyncio.create_task(client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)) for _ in range(2)]
            await _until(lambda: gate.under_way == 2)
            refused = await client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)
            health = await client.get("/health")
            held.set()
            answers = await asyncio.gather(*taken)
            await _until(lambda: gate.under_way == 0)
            again = await client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert set(refused.json()) == {"error"}
        assert (health.status_code, health.json()["under_way"]) == (200, 2)
        assert [answer.status_code for answer in (*answers, again)] == [200, 200, 200]

    asyncio.run(go())
    assert gate.held_bytes == 0


def test_bodies_together_are_bounded(start: Callable[..., Gate], held: threading.Event) -> None:
    gate = start(max_body_bytes=2_000_000, max_held_bytes=2_000_000)
    packed = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)).save(packed, "PNG")
    noise = packed.getvalue()
    assert 1_000_000 < len(noise) < 2_000_000

    async def endless() -> AsyncIterator[bytes]:
        yield noise

    async def go() -> None:
        async with _client(gate) as client:
            first = asyncio.create_task(client.post(SEGMENT_ROUTE, content=endless(), headers=PNG))
            await _until(lambda: gate.under_way == 1)
            refused = await client.post(SEGMENT_ROUTE, content=noise, headers=PNG)
            held.set()
            assert (refused.status_code, (await first).status_code) == (429, 200)

    asyncio.run(go())


def test_work_that_takes_too_long_is_unavailable_and_keeps_its_place_until_it_ends(
    start: Callable[..., Gate], picture: Picture, held: threading.Event
) -> None:
    gate = start(workers=1, waiting=0, timeout_s=0.1)

    async def go() -> None:
        async with _client(gate) as client:
            late = await client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)
            busy = await client.post(SEGMENT_ROUTE, content=picture(), headers=PNG)
            held.set()
            await _until(lambda: gate.under_way == 0)
        assert (late.status_code, busy.status_code) == (503, 429)
        assert "0.1 s" in late.json()["error"]
        assert int(late.headers["retry-after"]) > 0

    asyncio.run(go())


def _scope(length: int) -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": SEGMENT_ROUTE, "raw_path": b"", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"image/png"), (b"content-length", b"%d" % length)], "http_version": "1.1",
    }  # fmt: skip


def test_a_body_that_does_not_arrive_is_given_up(start: Callable[..., Gate]) -> None:
    gate = start(timeout_s=0.1)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(30)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(gate(_scope(100), receive, send))
    assert sent[0]["status"] == 408
    assert gate.under_way == 0


def test_work_for_a_client_that_went_away_is_dropped(
    start: Callable[..., Gate], picture: Picture, held: threading.Event
) -> None:
    gate = start(workers=1, waiting=1)
    body = picture()
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(_message: Any) -> None:
        return

    async def go() -> None:
        await gate(_scope(len(body)), receive, send)
        assert gate.under_way == 1
        held.set()
        await _until(lambda: gate.under_way == 0)

    asyncio.run(go())


def test_many_at_once_are_all_answered_alike(start: Callable[..., Gate], picture: Picture) -> None:
    gate = start(workers=2, waiting=30)

    async def go() -> list[httpx.Response]:
        async with _client(gate) as client:
            return list(
                await asyncio.gather(*(client.post(SEGMENT_ROUTE, content=picture(), headers=PNG) for _ in range(16)))
            )

    answers = asyncio.run(go())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["slices"][0]["png"] for answer in answers}) == 1


def test_nothing_is_left_on_the_disk(
    start: Callable[..., Gate], picture: Picture, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "private"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    gate = start()

    async def go() -> None:
        async with _client(gate) as client:
            for content in (picture(), picture()[:50]):
                await client.post(SEGMENT_ROUTE, content=content, headers=PNG)

    asyncio.run(go())
    assert list(place.iterdir()) == []
