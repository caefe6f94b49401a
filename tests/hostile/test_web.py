"""Clients that send slowly, or nothing, or take nothing: whoever asks properly is answered meanwhile."""

from __future__ import annotations

import contextlib
import io
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

IDLE_S = 1.0
HEAD = b"POST /v1/segment HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"


@pytest.fixture
def port(tiny_onnx: Callable[..., Path]) -> Iterator[int]:
    """A service with one place in all, and few connections, at this port."""
    command = [
        "bash",
        "-c",
        'ulimit -n 80; exec "$@"',
        "-",
        sys.executable,
        "-m",
        "edgeseg",
        "serve",
        str(tiny_onnx()),
        "--json",
        "--port",
        "0",
        "--workers",
        "1",
    ]
    command += ["--waiting", "0", "--idle", str(IDLE_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            yield int(json.loads(server.stdout.readline())["url"].rpartition(":")[2])
        finally:
            server.kill()


def _drip(client: socket.socket) -> None:
    while True:
        client.sendall(b"X-Slow: 1\r\n")
        time.sleep(IDLE_S / 20)


def _answers_well(port: int) -> None:
    packed = io.BytesIO()
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(packed, "PNG")
    for route, body in (("/health", None), ("/live", None), ("/ready", None), ("/v1/segment", packed.getvalue())):
        request = urllib.request.Request(f"http://localhost:{port}{route}", body, {"Content-Type": "image/png"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200


@contextlib.contextmanager
def _clients(port: int, number: int, *sent: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30)) for _ in range(number)
        ]
        for client in clients:
            for part in sent:
                client.sendall(part)
        yield clients


def _rest(client: socket.socket) -> bytes:
    """What the service still says until it ends the connection."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while block := client.recv(1 << 16):
            found += block
    return found


_SILENT = (
    (),
    (b"GET /hea",),
    (HEAD,),
    (HEAD + b"Content-Length: 1000000\r\n\r\n",),
    (HEAD + b"Content-Length: 1000000\r\n\r\n", b"x" * 500_000),
    (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\nab"),
    (HEAD + b"Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",),
    (HEAD.replace(b"localhost", b"evil.example") + b"Content-Length: 9\r\n\r\nx",),
)


def test_who_sends_slowly_holds_no_place_and_is_let_go(port: int) -> None:
    with contextlib.ExitStack() as stack:
        groups = [(sent, stack.enter_context(_clients(port, 3, *sent))) for sent in _SILENT]
        _answers_well(port)
        for sent, clients in groups:
            for client in clients:
                said = _rest(client)
                assert b"HTTP/1.1 200" not in said
                assert (b" 408 " in said or b" 403 " in said) == bool(sent)
                assert (b"connection: close" in said.lower()) == bool(sent), "it is let go at once"
    with _clients(port, 1, b"GET /health HTTP/1.1\r\nHost: localhost\r\n") as (client,):
        with pytest.raises(ConnectionError):
            _drip(client)
        _answers_well(port)


def test_what_is_open_or_announced_or_not_taken_keeps_nobody_out(port: int) -> None:
    with _clients(port, 300, HEAD):
        _answers_well(port)
    with _clients(port, 30, HEAD + b"Content-Length: 33000000\r\n\r\n"):
        _answers_well(port)
    _takes_no_answer(port)


def _takes_no_answer(port: int) -> None:
    picture, body = io.BytesIO(), b""
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (16, 24, 3), np.uint8)).save(picture, "PNG")
    for _ in range(250):
        body += (
            b'--B\r\nContent-Disposition: form-data; name="slices"; filename="a.png"\r\n\r\n'
            + picture.getvalue()
            + b"\r\n"
        )
    body += b"--B--\r\n"
    head = HEAD.replace(b"image/png", b"multipart/form-data; boundary=B") + b"Content-Length: %d\r\n\r\n" % len(body)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        client.connect(("127.0.0.1", port))
        client.sendall(head + body)
        client.recv(1)
        _answers_well(port)
