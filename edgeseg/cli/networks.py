"""`edgeseg networks`: the networks that have a name."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeseg.cli._options import json_option


def networks(
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """List the networks that commands take by name: what they hold, how good they are, and their files.

    Dice is per patient over the whole volume: of the patients that were held out, and out of fold over all patients
    where that was measured of networks trained in the same way.
    """
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.listings import network_tables
    from edgeseg.stages.listings import list_networks

    listed = list_networks()
    if as_json:
        typer.echo(to_json(listed))
    else:
        show(*network_tables(listed))
