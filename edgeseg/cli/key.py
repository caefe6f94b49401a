"""`edgeseg key`: the site's patient key, which makes pseudonyms and recognises patients behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import json_option

app = typer.Typer(no_args_is_help=True, help="Show or make the key behind pseudonyms of patients; it never ships.")


@app.command()
def show(as_json: Annotated[bool, json_option("Print JSON instead of lines.")] = False) -> None:
    """Say where the patient key is and which keys it holds, by their ids; the key itself is never shown.

    Exit code 1 when there is none yet.
    """
    from edgeseg.errors import CheckFailedError
    from edgeseg.jsonio import to_json
    from edgeseg.place import key_place, known_keys
    from edgeseg.results import KeyList

    found = KeyList(file=str(key_place()), keys=tuple(key.id for key in known_keys()))
    if as_json:
        typer.echo(to_json(found))
    elif found.keys:
        typer.echo(f"{found.file}: {', '.join(found.keys)}; the first makes pseudonyms, all recognise patients")
    if not found.keys:
        raise CheckFailedError(
            f"there is no patient key at {found.file} yet; it is made on first use, or by: edgeseg key make"
        )


@app.command()
def make(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Where to; the place of the patient key if not given.", show_default=False),
    ] = None,
) -> None:
    """Write 32 random bytes into a new file that its owner alone can read: a patient key, or a salt for --salt.

    Keep a copy of the patient key where backups are: without it nobody can tell any more who is behind pseudonyms.
    """
    from edgeseg.place import key_place, make_secret

    typer.echo(f"made: {make_secret(key_place() if file is None else file)}")
