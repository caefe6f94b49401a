"""`edgeseg schema`: the JSON Schema of what other commands print."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def schema(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A command with --json, baseline or out-of-fold; all names if not given."
        ),
    ] = None,
) -> None:
    """Print the JSON Schema (draft 2020-12) of what a command prints with --json, for programs that read it.

    build is also that of build.json, report that of report.json, and baseline that of the file of 'check --update';
    out-of-fold is what 'train --folds' leaves.
    """
    from edgeseg.results.schemas import KINDS
    from edgeseg.results.schemas import schema as run

    if name is not None:
        typer.echo(json.dumps(run(name), indent=2, ensure_ascii=False))
        return
    for known in KINDS:
        typer.echo(known)
