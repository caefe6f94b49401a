"""`edgeseg networks`: the networks that have a name."""

from __future__ import annotations

from typing import Annotated

import typer

from edgeseg.cli._complete import networks as completed
from edgeseg.cli._options import json_option


def networks(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="Tell all of this one.", autocompletion=completed, show_default=False),
    ] = None,
    as_json: Annotated[bool, json_option("Print JSON instead of the table.")] = False,
) -> None:
    """List the networks that commands take by name: what they hold, how good they are, and their files.

    Dice is per patient over the whole volume: of the patients that were held out, and out of fold over all patients
    where that was measured of networks trained in the same way. With a NAME its card: what it learned from, its worst
    subgroups, when to believe its masks, the digests of its files, licence, and the command that made it.
    """
    from edgeseg.cli._print import show
    from edgeseg.jsonio import to_json
    from edgeseg.reports.card import card_lines
    from edgeseg.reports.listings import network_tables
    from edgeseg.stages.listings import list_networks

    if name is not None:
        from edgeseg.networks import get
        from edgeseg.stages.ship.card import network_card

        card = network_card(get(name))
        if as_json:
            typer.echo(to_json(card))
        else:
            show(*card_lines(card))
        return
    listed = list_networks()
    if as_json:
        typer.echo(to_json(listed))
    else:
        show(*network_tables(listed))
