"""`edgeseg node`: a DICOM node that segments what it receives and sends the results on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from edgeseg.cli._complete import models
from edgeseg.cli._model import MODEL_HELP, artifact
from edgeseg.cli._options import ContractFile, json_option

if TYPE_CHECKING:
    from edgeseg.node.server import Ready
    from edgeseg.results import NodeStatus
    from edgeseg.specs import NodeOptions

_START = "start"


class _Starting(TyperGroup):
    """Takes `edgeseg node NETWORK ...` for `edgeseg node start NETWORK ...`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_START, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Starting,
    no_args_is_help=True,
    help="Receive studies by DICOM, segment them, and send SEG, report and secondary capture to an archive.\n\n"
    "`edgeseg node NETWORK --config node.toml` is short for `edgeseg node start NETWORK --config node.toml`.",
)

_Config = Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration, node.toml.")]
_Study = Annotated[int, typer.Argument(metavar="STUDY", help="Its number, as edgeseg node status shows it.")]


@app.command(_START)
def start(
    model: Annotated[Path, typer.Argument(metavar="NETWORK", help=MODEL_HELP, autocompletion=models)],
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="The configuration, node.toml; or --watch and --out."),
    ] = None,
    watch: Annotated[
        Path | None, typer.Option("--watch", metavar="DIR", help="Also take DICOM files that are put into this folder.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="With --watch and no --config: where results go.")
    ] = None,
    contract: ContractFile = None,
    json: Annotated[bool, json_option("Print ports and model as JSON when ready.")] = False,
) -> None:
    """Run the node until SIGTERM or Ctrl-C.

    A study is segmented when nothing of it came for a while; a DICOM SEG, a structured report (TID 1500) and a
    secondary capture go to every destination. What was received is never lost: after a crash the node goes on where it
    was, and no result arrives twice.

    With --watch DIR --out DIR the node opens no port and needs no configuration: results appear in a folder.
    """
    from edgeseg.errors import MissingExtraError, OptionError

    if config is not None and out is not None:
        raise OptionError("--out was given beside --config; name a destination of kind 'folder' in it instead")
    if config is None and (watch is None or out is None):
        raise OptionError("name a configuration with --config, or two folders with --watch and --out")
    try:
        from edgeseg.node import server
        from edgeseg.node.config import folder_options, read_config
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "pynetdicom", "node", "edgeseg node") from error
    if config is not None:
        options = read_config(config)
    else:
        assert out is not None
        options = folder_options(out)
    server.serve(artifact(model), options, lambda ready: _tell(ready, json=json), watch=watch, contract=contract)


@app.command()
def status(
    config: _Config,
    *,
    json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """Show the studies of a node's queue; works beside a node that runs."""
    from edgeseg.jsonio import to_json
    from edgeseg.node import look

    found = look.status(_options(config))
    if json:
        typer.echo(to_json(found))
    else:
        _print(found)


@app.command()
def retry(config: _Config, study: _Study) -> None:
    """Try a study again that failed."""
    from edgeseg.node import look

    look.retry(_options(config), study)
    typer.echo(f"study {study} is tried again")


@app.command()
def forget(config: _Config, study: _Study) -> None:
    """Delete a study that is done, sent or failed, and its files; it is done anew when it is sent again."""
    from edgeseg.node import look

    look.forget(_options(config), study)
    typer.echo(f"study {study} is forgotten")


def _options(config: Path) -> NodeOptions:
    from edgeseg.node.config import read_config

    return read_config(config)


def _print(found: NodeStatus) -> None:
    from edgeseg.cli._print import show
    from edgeseg.reports.node import node_table

    if found.studies:
        show(node_table(found))
    typer.echo(", ".join(f"{count} {state}" for state, count in found.counts.items()))


def _tell(ready: Ready, *, json: bool) -> None:
    import dataclasses
    import sys

    from edgeseg.specs import INTENDED_USE

    if json:
        from json import dumps

        typer.echo(dumps({**dataclasses.asdict(ready), "intended_use": INTENDED_USE}))
        sys.stdout.flush()
        return
    where = "does not listen" if ready.port is None else f"listens as {ready.ae_title} on port {ready.port}"
    also = "" if ready.health_port is None else f"; /health, /ready and /metrics on port {ready.health_port}"
    typer.echo(f"the node {where}, segments with {ready.network or ready.variant} {ready.target}{also}", err=True)
    typer.echo(INTENDED_USE, err=True)
