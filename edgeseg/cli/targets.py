"""`edgeseg targets`: the file formats that a build can make."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeseg.cli._options import json_option


def targets(
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """List the file formats, what runs them, and how many mask pixels each may flip against the float Keras network."""
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.stages.listings import list_targets

    listed = list_targets()
    if as_json:
        typer.echo(to_json(listed))
        return
    from edgeseg.reports.listings import target_tables

    show(*target_tables(listed))
