"""`edgeseg inspect`: what a model file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._model import MODEL_HELP, artifact
from edgeseg.cli._options import ContractFile, json_option


def inspect(
    model: Annotated[Path, typer.Argument(metavar="FILE", help=f"{MODEL_HELP} Or .hdf5.")],
    *,
    contract_json: Annotated[
        bool,
        typer.Option("--contract-json", help="Print the contract alone, or a template where there is none."),
    ] = False,
    contract: ContractFile = None,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Print a model's contract, operations, multiply-accumulates and weights, and who runs what on this host.

    A file without a contract is inspected too; exit code 1 when its contract is damaged or does not fit the file.
    """
    from edgeseg.errors import CheckFailedError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.inspect import contract_template
    from edgeseg.stages.inspect import inspect as run

    found = run(artifact(model), contract=contract)
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
