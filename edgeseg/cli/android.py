"""`edgeseg android`: choose what the tablet app carries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._complete import networks
from edgeseg.cli._options import ContractFile, contract_option, json_option


def android(
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The network that the app is to run, as 'edgeseg networks' has it.",
            autocompletion=networks,
        ),
    ] = None,
    artifact: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An .onnx artifact in place of a network with a name.")
    ] = None,
    floating: Annotated[
        Path | None,
        typer.Option(
            "--float", metavar="FILE", help="The float .onnx of the same network, which the app shows differences to."
        ),
    ] = None,
    contract: ContractFile = None,
    float_contract: Annotated[
        Path | None, contract_option("That of the model of --float, where it carries none.", of="float")
    ] = None,
    app: Annotated[Path, typer.Option(metavar="DIR", help="The folder of the app.")] = Path("android-demo"),
    as_json: Annotated[bool, json_option("Print the manifest as JSON.")] = False,
) -> None:
    """Put a network, phantom cases and the masks it draws on them into the app's assets, with their hashes.

    Of a network with a name its float file goes into the app as well; without --network and --artifact it is
    light. The app reads the contract in the model, so one that is given with --contract is put into the app's copy.
    """
    from edgeseg.cli._model import chosen
    from edgeseg.jsonio import to_json
    from edgeseg.stages.ship import ASSETS, prepare_app

    model, ships = chosen(network, artifact, contract, of="an app")
    if ships is not None and floating is None and "onnx-fp32" in ships.targets:
        floating = ships.file("onnx-fp32")
    manifest = prepare_app(model, app=app, floating=floating, contract=contract, float_contract=float_contract)
    if as_json:
        typer.echo(to_json(manifest))
        return
    files = [file for case in manifest.cases for file in (*case.images, *case.references)]
    size = manifest.model.size_bytes + sum(file.size_bytes for file in files)
    shown = sum(case.shown for case in manifest.cases)
    typer.echo(f"model: {manifest.model.size_bytes / 1e3:.0f} kB, sha256 {manifest.model.sha256[:16]}")
    typer.echo(f"cases: {shown} to look at and {len(manifest.cases) - shown} for tests, {len(files)} pictures")
    typer.echo(f"masks: {manifest.made_with}")
    typer.echo(f"assets: {app / ASSETS}, {size / 1e6:.1f} MB")
    if floating is None:
        typer.echo("the app shows no differences to a float model, as there is none; give one with --float")
