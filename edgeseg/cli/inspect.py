"""`edgeseg inspect`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._model import MODEL_HELP, artifact
from edgeseg.cli._options import ContractFile, json_option

if TYPE_CHECKING:
    from edgeseg.errors import MissingExtraError


def inspect(
    model: Annotated[Path, typer.Argument(metavar="FILE", help=f"{MODEL_HELP} Or .hdf5.", autocompletion=models)],
    *,
    contract_json: Annotated[
        bool,
        typer.Option("--contract-json", help="Print the contract alone, or a template where there is none."),
    ] = False,
    contract: ContractFile = None,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Print a model's contract, operations, multiply-accumulates and weights, and who runs what on this host.

    Without the extra 'build' the contract alone is shown. A file without a contract is inspected too; exit code 1 when
    its contract is damaged or does not fit the file.
    """
    from edgeseg.errors import CheckFailedError, MissingExtraError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.inspect import contract_template
    from edgeseg.stages.inspect import inspect as run

    model = artifact(model)
    try:
        found = run(model, contract=contract)
    except MissingExtraError as error:
        if as_json or contract_json:
            raise
        _contract_alone(model, contract, error)
        return
    if contract_json:
        text, notes = contract_template(found)
        typer.echo(text)
        for note in notes:
            typer.echo(f"warning: {note}", err=True)
    elif as_json:
        typer.echo(to_json(found))
    else:
        from edgeseg.cli._print import show
        from edgeseg.reports.inspection import inspection_tables

        show(*inspection_tables(found))
    if found.contract_fault is not None:
        raise CheckFailedError(found.contract_fault)


def _contract_alone(model: Path, contract: Path | None, error: MissingExtraError) -> None:
    """Show what the base install can read: the contract, held to the file."""
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import line
    from edgeseg.reports.inspection import contract_table
    from edgeseg.runtime import Segmenter
    from edgeseg.runtime.model_files import model_sha256

    told = Segmenter.load(model, contract=contract).contract
    show(contract_table(told, model_sha256(model)))
    line(f"operations and weights are not shown: {error}")
