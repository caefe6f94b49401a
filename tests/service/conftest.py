"""A service on the one-convolution model, called in this process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from edgeseg.service.app import create_app
from edgeseg.service.engine import Engine
from edgeseg.service.gate import Gate
from edgeseg.service.inside import ENTRY
from edgeseg.specs import ServeOptions
from edgeseg.workers.apart import Pool


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Give a function that writes a 16 x 24 slice; FLAIR is bright on rows 2 to 5, columns 3 to 8."""

    def write(kind: str = "PNG", *, size: tuple[int, int] = (16, 24), tumour: bool = True) -> bytes:
        image = np.zeros((*size, 3), np.uint8)
        image[..., 0], image[..., 2] = 40, 60
        if tumour:
            image[2:6, 3:9, 1] = 250
        packed = io.BytesIO()
        Image.fromarray(image).save(packed, kind)
        return packed.getvalue()

    return write


@pytest.fixture(scope="session")
def readers() -> Iterator[Pool]:
    """Give the processes that read uploads, the same for all services."""
    with Pool(ENTRY) as pool:
        yield pool


@pytest.fixture
def start(tiny_onnx: Callable[..., Path], readers: Pool) -> Iterator[Callable[..., Gate]]:
    """Give a function that starts the application with options; engines are closed at the end."""
    engines: list[Engine] = []

    def make(model: dict[str, Any] | None = None, **options: Any) -> Gate:
        bounds = ServeOptions(**{"workers": 2, "hosts": ("service", "testserver"), **options})
        engines.append(Engine.load(tiny_onnx(**(model or {})), bounds, pool=readers))
        return create_app(engines[-1], bounds)

    yield make
    for engine in engines:
        engine.close()


@pytest.fixture
def call(start: Callable[..., Gate]) -> Callable[..., httpx.Response]:
    """Give a function that sends one request to a service of its own; `options` are the service's."""

    def send(method: str, route: str, *, options: dict[str, Any] | None = None, **request: Any) -> httpx.Response:
        gate = start(**(options or {}))

        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(gate)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as one:
                return await one.request(method, route, **request)

        return asyncio.run(go())

    return send
