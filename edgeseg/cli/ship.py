"""`edgeseg ship`: give trained weights a name that every command takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import json_option
from edgeseg.cli._weights import weights_argument


def ship(
    run: Annotated[Path, weights_argument("The folder of a training run")],
    build: Annotated[
        Path,
        typer.Option(metavar="DIR", help="A build of the same weights on real patients that training did not see."),
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call it; the name it was trained with, or its slug, if not given.")
    ] = None,
    purpose: Annotated[str | None, typer.Option(metavar="TEXT", help="What it is for, in a few words.")] = None,
    for_comparison: Annotated[
        bool, typer.Option("--for-comparison", help="It is there to be set beside others; lists have it last.")
    ] = False,
    choice: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Threshold and post-processing by 'edgeseg choose', as in the build."),
    ] = None,
    out_of_fold: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The out-of-fold.json of a training like this one, for its Dice."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of networks; models/ of the checkout, or of your folder for data, if not given.",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of a network that has the name already.")
    ] = False,
    allow_failed: Annotated[
        bool, typer.Option("--allow-failed", help="Ship a build in which a check failed; its list says so.")
    ] = False,
    allow_phantoms: Annotated[
        bool, typer.Option("--allow-phantoms", help="Ship a build that was scored on phantoms; its list says so.")
    ] = False,
    public_ids: Annotated[
        bool, typer.Option("--public-ids", help="All ids of patients are public and may stand in what ships.")
    ] = False,
    licence: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Under which the weights may be passed on; known of LGG and phantoms alone."),
    ] = None,
    attribution: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Whose data made them, for the card; known of LGG and phantoms.")
    ] = None,
    as_json: Annotated[bool, json_option("Print the card as JSON.")] = False,
) -> None:
    """Give a run's weights a name, and put them with their converted files where every command looks for it.

    Weights, card and choice name patients by pseudonyms under the site's patient key; see 'edgeseg key'. Ids that are
    public by their form, such as TCGA barcodes, stay, and all do with --public-ids. A build that failed a check, or
    rests on phantoms, is refused.

    Activation ranges belong to one weights file; 'edgeseg calibrate' records them for the new one, so that later builds
    need no data.
    """
    from edgeseg.artifacts import own_home, read_build
    from edgeseg.cli._progress import line
    from edgeseg.networks import MODELS, check_name, named
    from edgeseg.stages.calibrate import ranges_are_stale
    from edgeseg.stages.ship import Naming, Terms
    from edgeseg.stages.ship import ship as put

    if name is not None:
        check_name(name)
    folder = put(
        run,
        read_build(build),
        into=into,
        naming=Naming(
            name=name or "",
            purpose=purpose or "",
            out_of_fold=out_of_fold,
            in_place=replace,
            for_comparison=for_comparison,
        ),
        choice=choice,
        public_ids=public_ids,
        files_from=build,
        allow_failed=allow_failed,
        allow_phantoms=allow_phantoms,
        terms=Terms(licence=licence or "", attribution=attribution or ""),
    )
    if ranges_are_stale(folder):
        line(
            f"its activation ranges are not recorded; so that builds need no data: edgeseg calibrate --network "
            f"{folder.name} --data DIR"
        )
    if into is not None and folder.parent.resolve() != (own_home() / MODELS).resolve() and named(folder.name) is None:
        line(f"no command looks in {folder.parent}; leave --into out to use the name")
    if as_json:
        typer.echo((folder / "card.json").read_text(), nl=False)
        return
    typer.echo(f"shipped: {folder}")
    if (network := named(folder.name)) is not None and network.files() is not None:
        typer.echo(f"run it with: edgeseg run {folder.name} SCAN --out masks")
