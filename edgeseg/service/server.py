"""Listen until told to stop; then let requests that are under way end."""

from __future__ import annotations

import logging
import math
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from edgeseg.errors import OptionError
from edgeseg.quiet import wordless_log
from edgeseg.service.app import create_app
from edgeseg.service.connection import ConnectionConfig
from edgeseg.service.engine import Engine
from edgeseg.service.gate import Gate
from edgeseg.specs import ServeOptions

_MOST_CONNECTIONS, _KEEP_ALIVE_S, _BACKLOG = 512, 15, 128
_FILES_EACH = 2
"""Open files that a connection is reckoned with, so that accepting one more does not fail for want of any."""


def serve(
    model: Path, options: ServeOptions, ready: Callable[[str, Engine], None], *, contract: Path | None = None
) -> None:
    """Serve a model until SIGTERM (returns) or Ctrl-C (raises `KeyboardInterrupt`).

    Args:
        model: a `.onnx`, `.ort` or `.tflite` artifact with a contract.
        options: where and within which bounds.
        ready: called with the address when the socket is open.
        contract: a JSON file with the contract of a model that carries none.

    Raises:
        EdgeSegError: when the model cannot be opened, or fails its golden case here.
        OptionError: when the address is taken or not of this host.
    """
    engine = Engine.load(model, options, contract)
    try:
        engine.warm()
        with _listen(options) as listener, wordless_log("edgeseg.service"):
            shown = f"[{options.host}]" if ":" in options.host else options.host
            try:
                _run(engine, options, listener, lambda: ready(f"http://{shown}:{listener.getsockname()[1]}", engine))
            finally:
                logging.getLogger("edgeseg.service").info("stopped")
    finally:
        engine.close()


def _run(engine: Engine, options: ServeOptions, listener: socket.socket, tell: Callable[[], None]) -> None:
    gate = create_app(engine, options)
    config = ConnectionConfig(
        gate,
        idle_s=options.idle_s,
        most=_most_connections(),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(options.grace_s)),
    )
    server = _Server(config, gate, options.drain_s)
    # from here on no SIGTERM is missed; uvicorn takes it over while it runs, and passes it on when it has stopped
    before = signal.signal(signal.SIGTERM, server.handle_exit)
    try:
        tell()
        server.run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)


def _most_connections() -> int:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(_MOST_CONNECTIONS, files // _FILES_EACH)


class _Server(uvicorn.Server):
    """Says at SIGTERM that it is not ready, goes on for a while, and only then stops; a second one stops it at once."""

    def __init__(self, config: uvicorn.Config, gate: Gate, drain_s: float) -> None:
        super().__init__(config)
        self._gate, self._drain_s, self._end = gate, drain_s, math.inf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        again, self._gate.draining = self._gate.draining, True
        if sig != signal.SIGTERM or again or self._drain_s <= 0:
            super().handle_exit(sig, frame)
            return
        self._end = time.monotonic() + self._drain_s

    async def on_tick(self, counter: int) -> bool:
        self.should_exit = self.should_exit or time.monotonic() >= self._end
        return await super().on_tick(counter)


def _listen(options: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OptionError(
            f"cannot listen on {options.host} port {options.port}: {error.strerror or error}; choose another --port or "
            "--host"
        ) from error
