"""`edgeseg variants`: the networks, with what they hold and compute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import json_option

if TYPE_CHECKING:
    from rich.table import Table

    from edgeseg.results import VariantList


def variants(
    as_json: Annotated[bool, json_option("Print JSON instead of the tables.")] = False,
) -> None:
    """List the networks and the three tiers; parameters and multiply-accumulates are counted on the built network."""
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.stages.listings import list_variants

    with counted("counting") as progress:
        listed = list_variants(progress)
    if as_json:
        typer.echo(to_json(listed))
    else:
        show(_networks(listed), "", _tiers(listed))


def _networks(listed: VariantList) -> Table:
    from rich.table import Table

    table = Table(title="Networks at 256 x 256 x 3, float32", title_justify="left", box=None, padding=(0, 2, 0, 0))
    table.add_column("variant")
    for name in ("parameters", "MACs", "weights MB"):
        table.add_column(name, justify="right")
    table.add_column("trained weights")
    for row in listed.variants:
        count, ships = row.census, "ship" if row.weights else "train them"
        size = f"{count.parameters * 4 / 1e6:.1f}"
        table.add_row(row.variant, f"{count.parameters / 1e6:.2f} M", f"{count.macs / 1e9:.2f} G", size, ships)
    return table


def _tiers(listed: VariantList) -> Table:
    from rich.table import Table

    table = Table(title="Tiers", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for name in ("tier", "variant", "what it is"):
        table.add_column(name)
    for tier in listed.tiers:
        table.add_row(tier.name, tier.variant.slug, tier.summary)
    return table
