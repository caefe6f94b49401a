"""`edgeseg web`: the page that segments in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._options import ContractFile, json_option, out_option

if TYPE_CHECKING:
    from edgeseg.specs import SiteManifest


def web(
    *,
    network: Annotated[
        str | None,
        typer.Option(
            "--network",
            metavar="NAME",
            help="The network of the page, as 'edgeseg networks' has it; NAME/tflite-int8 for a page with LiteRT.js.",
            autocompletion=models,
        ),
    ] = None,
    artifact: Annotated[
        Path | None,
        typer.Option(
            "--artifact", metavar="FILE", help="An .onnx artifact, or .tflite of int8, in place of one that ships."
        ),
    ] = None,
    out: Annotated[Path, out_option("The folder of the page.", metavar="DIR", short=True)] = Path("build/web"),
    serve: Annotated[
        bool, typer.Option("--serve", help="Then serve the folder on this machine, until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option("--port", help="Of --serve; 0 takes a free one.")] = 8090,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="DIR", help="A page that was built elsewhere, as by 'make web'.")
    ] = None,
    contract: ContractFile = None,
    as_json: Annotated[bool, json_option("Print site.json.")] = False,
) -> None:
    """Write a static web page that segments scans in the browser, with a network inside; any web server can serve it.

    The page works offline after the first visit, sends nothing anywhere, and checks the network on each device before
    it draws a mask. Without --network and --artifact it carries the light network in int8, for ONNX Runtime; a .tflite
    file of int8 is run by LiteRT.js.
    """
    from edgeseg.cli._model import chosen
    from edgeseg.cli._progress import line
    from edgeseg.jsonio import to_json
    from edgeseg.stages.ship import serve_site, write_site

    model, _ = chosen(network, artifact, contract, of="a page")
    line(f"writing the page and its examples into {out}")
    manifest = write_site(model, out=out, page=page, contract=contract)
    if as_json:
        typer.echo(to_json(manifest))
    else:
        _tell(manifest, out, served=serve)
    if serve:
        serve_site(out, port=port, ready=lambda url: typer.echo(f"serving {out} on {url} until Ctrl-C", err=True))


def _tell(manifest: SiteManifest, out: Path, *, served: bool) -> None:
    model = manifest.model
    typer.echo(f"network: {model.size_bytes / 1e3:.0f} kB, sha256 {model.sha256[:16]}, run by {manifest.engine}")
    typer.echo(f"examples: {', '.join(f'{case.title}, {case.slices} slices' for case in manifest.cases)}")
    typer.echo(f"page: {out}, {manifest.size_bytes / 1e6:.1f} MB")
    if not served:
        typer.echo("to be served by any web server over HTTPS, or on this machine with --serve")
