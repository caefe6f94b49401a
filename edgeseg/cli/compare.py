"""`edgeseg compare`: two builds side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import BootstrapSeed, json_option


def compare(
    before: Annotated[
        Path, typer.Argument(metavar="BEFORE", help="A folder that 'edgeseg build --out' wrote, or its build.json.")
    ],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="Another one.")],
    seed: BootstrapSeed = 0,
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """Put two builds side by side: size, Dice over the patients that both scored, each of them, latency."""
    from edgeseg.artifacts import read_build
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.comparison import comparison_table
    from edgeseg.stages.score import compare as run

    found = run(read_build(before), read_build(after), names=(str(before), str(after)), seed=seed)
    if as_json:
        typer.echo(to_json(found))
        return
    show(comparison_table(found))
