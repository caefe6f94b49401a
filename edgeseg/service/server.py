"""Listen until told to stop; then let requests that are under way end."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn

from edgeseg.errors import OptionError
from edgeseg.service.app import create_app
from edgeseg.service.engine import Engine
from edgeseg.specs import ServeOptions

_MOST_CONNECTIONS, _KEEP_ALIVE_S, _BACKLOG = 512, 15, 128


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
        with _listen(options) as listener, _log():
            shown = f"[{options.host}]" if ":" in options.host else options.host
            ready(f"http://{shown}:{listener.getsockname()[1]}", engine)
            try:
                _run(engine, options, listener)
            finally:
                logging.getLogger("edgeseg.service").info("stopped")
    finally:
        engine.close()


def _run(engine: Engine, options: ServeOptions, listener: socket.socket) -> None:
    config = uvicorn.Config(
        create_app(engine, options),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, round(options.grace_s)),
    )
    before = signal.signal(signal.SIGTERM, lambda *_: None)  # uvicorn passes it on to this when it has stopped
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        signal.signal(signal.SIGTERM, before)


def _listen(options: ServeOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host, options.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OptionError(
            f"cannot listen on {options.host} port {options.port}: {error.strerror or error}; choose another --port or "
            "--host"
        ) from error


@contextlib.contextmanager
def _log() -> Iterator[None]:
    """Send the service's own lines, and no library's, to stderr with the time before them."""
    log, handler = logging.getLogger("edgeseg.service"), logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    before = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before[0])
        log.propagate = before[1]
