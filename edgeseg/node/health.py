"""What machines ask: whether the node lives, whether it takes studies, and what it did. Nothing of a patient."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from edgeseg import __version__
from edgeseg.errors import OptionError

Start = Callable[[str, list[tuple[str, str]]], Any]
_WAIT_S, _MOST_AT_ONCE = 5.0, 16
_JSON = "application/json"


@contextlib.contextmanager
def health(
    address: str, port: int, registry: CollectorRegistry, why_not_ready: Callable[[], str | None]
) -> Iterator[int]:
    """Answer on an address until the block ends; gives the port.

    Args:
        address: of this machine.
        port: 0 takes a free one.
        registry: what `/metrics` shows.
        why_not_ready: says in a word why no study can be taken; None where one can.

    Raises:
        OptionError: when the address is taken or not of this machine.
    """

    def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        status, kind, body = _answer(str(environ.get("PATH_INFO")), registry, why_not_ready)
        start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]

    try:
        server = _Server((address, port), _Handler)
    except OSError as error:
        raise OptionError(
            f"cannot listen on {address} port {port} for /health: {error.strerror or error}; choose another health_port"
        ) from error
    server.set_app(answer)
    threading.Thread(target=server.serve_forever, args=(0.1,), name="edgeseg-health", daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def _answer(path: str, registry: CollectorRegistry, why_not_ready: Callable[[], str | None]) -> tuple[str, str, bytes]:
    if path == "/health":
        return "200 OK", _JSON, json.dumps({"status": "ok", "edgeseg": __version__}).encode()
    if path == "/ready":
        why = why_not_ready()
        told = json.dumps({"status": "ready" if why is None else why}).encode()
        return ("200 OK" if why is None else "503 Service Unavailable"), _JSON, told
    if path == "/metrics":
        return "200 OK", CONTENT_TYPE_LATEST, generate_latest(registry)
    return "404 Not Found", _JSON, json.dumps({"error": "there are /health, /ready and /metrics"}).encode()


class _Handler(WSGIRequestHandler):
    timeout = _WAIT_S

    def log_message(self, *_told: object) -> None:
        """Say nothing."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    _free = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread of its own, as long as there are few."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def server_bind(self) -> None:
        """Bind without asking the network for the machine's name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, *_what: object) -> None:
        """Say nothing of a request that broke off."""
