"""`edgeseg serve`: segmentation over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._model import MODEL_HELP, artifact
from edgeseg.cli._options import ContractFile, json_option

if TYPE_CHECKING:
    from edgeseg.service.engine import Engine


TOKEN_VARIABLE = "EDGESEG_TOKEN"


def serve(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=MODEL_HELP, autocompletion=models)],
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
    idle: Annotated[
        float, typer.Option("--idle", help="Seconds for headers, and of silence in a body or an answer.")
    ] = 10.0,
    grace: Annotated[float, typer.Option("--grace", help="For requests under way at SIGTERM, in seconds.")] = 30.0,
    drain: Annotated[
        float,
        typer.Option("--drain", help="Seconds from SIGTERM, when /ready says no, to the end."),
    ] = 0.0,
    metrics: Annotated[bool, typer.Option("--metrics", help="Serve /metrics for Prometheus.")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", help=f"Holds the token that requests must bring; or set {TOKEN_VARIABLE}."),
    ] = None,
    origins: Annotated[
        list[str] | None,
        typer.Option("--origin", help="Of web pages that may call from a browser; may be repeated.", metavar="URL"),
    ] = None,
    hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            envvar="EDGESEG_ALLOW_HOST",
            help="Name that requests may be sent to, beside localhost and --host; * for all; may be repeated.",
            metavar="NAME",
        ),
    ] = None,
    contract: ContractFile = None,
    json: Annotated[bool, json_option("Print address and model as JSON when ready.")] = False,
) -> None:
    """Serve /v1/segment, /health and /docs, and the Vertex AI contract, until SIGTERM or Ctrl-C.

    Requests must come to localhost, --host or a name of --allow-host, and not from web pages of other origins.

    There is no encryption, and no login but a token where one is given: what is reached from elsewhere belongs behind
    a proxy that has both.
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
        idle_s=idle,
        grace_s=grace,
        drain_s=drain,
        metrics=metrics,
        token=_token(token_file),
        hosts=tuple(hosts or ()),
        origins=tuple(origins or ()),
    )
    try:
        from edgeseg.service import server
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "fastapi", "serve", "edgeseg serve") from error
    server.serve(artifact(model), options, lambda url, engine: _tell(url, engine, json=json), contract=contract)


def _token(path: Path | None) -> str | None:
    """Read the token from a file or the environment; on the command line every user of the host could read it."""
    import os

    from edgeseg.errors import OptionError

    given = os.environ.get(TOKEN_VARIABLE)
    if path is None:
        return given
    if given is not None:
        raise OptionError(f"a token is in {path} and in {TOKEN_VARIABLE}; give one of them")
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"{path}: cannot read the token ({type(error).__name__}); give a text file with it"
        ) from error


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
    name = model.network or model.variant
    for line in (
        f"serving {name} {model.target} ({model.runtime}, {model.numerics}) on {url}; {url}/docs says how",
        INTENDED_USE,
    ):
        typer.echo(line, err=True)
