"""`edgeseg variants`: the networks, with what they hold and compute."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeseg.cli._options import json_option


def variants(
    as_json: Annotated[bool, json_option("Print JSON instead of the tables.")] = False,
) -> None:
    """List the kinds of network and the three tiers; 'edgeseg networks' lists those that are trained."""
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.listings import variant_tables
    from edgeseg.stages.listings import list_variants

    listed = list_variants()
    if as_json:
        typer.echo(to_json(listed))
    else:
        show(*variant_tables(listed))
