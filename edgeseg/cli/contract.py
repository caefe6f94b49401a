"""`edgeseg contract`: what a device must know of a model, put into its file or beside it, shown, and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._model import artifact
from edgeseg.cli._options import ContractFile, contract_option, json_option, out_option

if TYPE_CHECKING:
    from edgeseg.specs import Contract

app = typer.Typer(no_args_is_help=True, help="Attach, show or check what a device must know of a model.")

_Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A .onnx, .ort or .tflite file.")]
_File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="A model, a network by name, or a contract in JSON or TOML.", autocompletion=models
    ),
]


@app.command()
def attach(
    model: _Model,
    contract: Annotated[Path, contract_option("The contract, JSON or TOML.")],
    out: Annotated[
        Path | None, out_option("Where it goes; into MODEL itself where none is given.", metavar="FILE")
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside", help="Leave MODEL as it is and write MODEL.contract.json for --contract.")
    ] = False,
) -> None:
    """Put a contract into a model that carries none, sealed with a golden case, or beside it.

    It is held against the graph first: channels, size, layouts and output, on a black slice.
    """
    from edgeseg.stages.inspect import attach as inside
    from edgeseg.stages.inspect import write_beside

    place = (write_beside if beside else inside)(model, contract, out=out)
    hint = f"edgeseg run SCAN --model {model} --contract {place}" if beside else f"edgeseg doctor {place}"
    typer.echo(f"wrote {place}; now: {hint}")


@app.command()
def show(
    file: _File,
    *,
    as_json: Annotated[bool, json_option("Print JSON instead of commented TOML.")] = False,
) -> None:
    """Print the contract of a model, or for one that carries none a template with all that its graph tells."""
    from edgeseg.jsonio import to_json
    from edgeseg.specs import contract_toml

    contract, notes = _found(artifact(file))
    typer.echo(to_json(contract) if as_json else contract_toml(contract, notes).rstrip())
    for note in notes:
        typer.echo(f"warning: {note}", err=True)


@app.command()
def check(
    file: _File,
    contract: ContractFile = None,
) -> None:
    """Hold a model to its contract: the seal, both ends, and a black slice run through; exit code 2 if they differ."""
    from edgeseg.errors import OptionError
    from edgeseg.runtime.contract_file import read_contract_document
    from edgeseg.specs.contract import LAYOUTS
    from edgeseg.stages.inspect import check_contract

    file = artifact(file)
    if _is_document(file):
        if contract is not None:
            raise OptionError(f"{file} is a contract itself; give the model in its place, or leave --contract out")
        found = read_contract_document(file, told={"layout": LAYOUTS[0]})
        typer.echo(f"{file}: a contract that can be honoured ({found.height} x {found.width}, {found.normalisation})")
        return
    found = check_contract(file, contract)
    typer.echo(f"{file}: fits its contract ({found.height} x {found.width}, {found.normalisation}, {found.output})")


def _is_document(file: Path) -> bool:
    return file.suffix.lower() in (".json", ".toml")


def _found(file: Path) -> tuple[Contract, tuple[str, ...]]:
    """Return a contract, and what was guessed of it; a model's own is read without what takes its graph apart."""
    from edgeseg.errors import MissingExtraError
    from edgeseg.runtime.contract import contract_text, read_contract
    from edgeseg.runtime.contract_file import read_contract_document
    from edgeseg.stages.inspect import draft_contract, inspect

    if _is_document(file):
        return read_contract_document(file), ()
    try:
        return draft_contract(inspect(file))
    except MissingExtraError:
        if contract_text(file) is None:
            raise
        return read_contract(file), ()
