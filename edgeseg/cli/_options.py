"""Options that many commands share: each is spelled here once, and a command says only what it means there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Threads = Annotated[int, typer.Option("--threads", help="Threads of the runtime.")]
BootstrapSeed = Annotated[int, typer.Option("--seed", help="Seed of the bootstrap.")]


def verbose_option() -> Any:
    """Build `--verbose` of tables that have a short form."""
    return typer.Option("--verbose", "-v", help="More columns, and every remark and condition.")


def json_option(help_text: str) -> Any:
    """The flag of a command that can answer in JSON; `help_text` says in place of what."""
    return typer.Option("--json", help=help_text)


def out_option(help_text: str, *, metavar: str | None = None, short: bool = False) -> Any:
    """Where a command writes; `short` adds `-o`."""
    return typer.Option("--out", *(["-o"] if short else []), help=help_text, metavar=metavar)


def contract_option(help_text: str, *, of: str = "") -> Any:
    """A contract in a file of its own; `of` says whose it is where a command takes several: `--<of>-contract`."""
    return typer.Option(f"--{of}-contract" if of else "--contract", metavar="FILE", help=help_text)


ContractFile = Annotated[Path | None, contract_option("The contract, JSON or TOML, of a model that carries none.")]
