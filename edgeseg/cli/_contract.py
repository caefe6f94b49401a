"""The option of every command that takes an artifact: a contract in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ContractFile = Annotated[
    Path | None,
    typer.Option("--contract", metavar="FILE", help="The contract, JSON or TOML, of a model that carries none."),
]
