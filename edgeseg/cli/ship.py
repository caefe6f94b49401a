"""`edgeseg ship`: make trained weights the ones that edgeseg starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import json_option


def ship(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training run.")],
    build: Annotated[
        Path,
        typer.Option(metavar="DIR", help="A build of the same weights on real patients that training did not see."),
    ],
    choice: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Threshold and post-processing by 'edgeseg choose', as in the build."),
    ] = None,
    into: Annotated[Path, typer.Option(metavar="DIR", help="Where shipped weights are.")] = Path("models"),
    public_ids: Annotated[
        bool, typer.Option("--public-ids", help="All ids of patients are public and may stand in what ships.")
    ] = False,
    as_json: Annotated[bool, json_option("Print the card as JSON.")] = False,
) -> None:
    """Copy a run's weights into models/, with a generated card and a learning curve.

    Weights, card and choice name patients by pseudonyms under the site's patient key; see 'edgeseg key'. Ids that are
    public by their form, such as TCGA barcodes, stay, and all do with --public-ids.

    Activation ranges belong to one weights file; 'edgeseg calibrate' records them for the new one.
    """
    from edgeseg.artifacts import read_build
    from edgeseg.cli._progress import line
    from edgeseg.stages.calibrate import ranges_are_stale
    from edgeseg.stages.ship import ship as put

    folder = put(run, read_build(build), into=into, choice=choice, public_ids=public_ids)
    if ranges_are_stale(folder):
        line("their activation ranges are not recorded yet; now run: edgeseg calibrate --data DIR")
    if as_json:
        typer.echo((folder / "card.json").read_text(), nl=False)
    else:
        typer.echo(f"shipped: {folder}")
