"""`edgeseg serve`: segmentation over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from edgeseg.service.engine import Engine


def serve(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The artifact: a .onnx, .ort or .tflite file.")],
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", envvar="AIP_HTTP_PORT", help="0 takes a free one.")] = 8080,
    health_route: Annotated[
        str, typer.Option("--health-route", envvar="AIP_HEALTH_ROUTE", help="Beside /health.", metavar="ROUTE")
    ] = "/health",
    predict_route: Annotated[
        str,
        typer.Option("--predict-route", envvar="AIP_PREDICT_ROUTE", help="Takes Vertex AI requests.", metavar="ROUTE"),
    ] = "/predict",
    workers: Annotated[int, typer.Option("--workers", help="Threads that segment; 0 takes one per core.")] = 0,
    waiting: Annotated[int, typer.Option("--waiting", help="Requests that may wait; the next gets 429.")] = 32,
    max_body_mb: Annotated[int, typer.Option("--max-body-mb", help="Of one request, in MiB.")] = 32,
    max_slices: Annotated[int, typer.Option("--max-slices", help="In one request.")] = 256,
    timeout: Annotated[float, typer.Option("--timeout", help="Of one request, in seconds.")] = 60.0,
    grace: Annotated[float, typer.Option("--grace", help="For requests under way at SIGTERM, in seconds.")] = 30.0,
    contract: Annotated[
        Path | None,
        typer.Option("--contract", metavar="FILE", help="The contract, as JSON, of a model that carries none."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print address and model as JSON when ready.")] = False,
) -> None:
    """Serve /v1/segment, /health and /docs, and the Vertex AI contract, until SIGTERM or Ctrl-C.

    There is no encryption and no login: what is reached from elsewhere belongs behind a proxy that has both.
    """
    from edgeseg.errors import MissingExtraError
    from edgeseg.specs import ServeOptions

    options = ServeOptions(
        host=host,
        port=port,
        health_route=health_route,
        predict_route=predict_route,
        workers=workers,
        waiting=waiting,
        max_body_bytes=max_body_mb << 20,
        max_held_bytes=max(256, max_body_mb) << 20,
        max_slices=max_slices,
        timeout_s=timeout,
        grace_s=grace,
    )
    try:
        from edgeseg.service import server
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "fastapi", "serve", "edgeseg serve") from error
    server.serve(model, options, lambda url, engine: _tell(url, engine, json=json), contract=contract)


def _tell(url: str, engine: Engine, *, json: bool) -> None:
    import sys

    from edgeseg.jsonio import to_plain
    from edgeseg.specs import INTENDED_USE

    if json:
        from json import dumps

        typer.echo(dumps({"url": url, "model": to_plain(engine.model), "intended_use": INTENDED_USE}))
        sys.stdout.flush()
        return
    model = engine.model
    for line in (
        f"serving {model.variant} {model.target} ({model.runtime}, {model.numerics}) on {url}; {url}/docs says how",
        INTENDED_USE,
    ):
        typer.echo(line, err=True)
