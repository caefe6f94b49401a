"""`edgeseg trust`: what tells that a mask of a network may be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._complete import networks
from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import json_option
from edgeseg.cli._weights import RULE


def trust(
    network: Annotated[
        Path,
        typer.Argument(
            metavar="NETWORK",
            help=f"The run, or the folder of 'edgeseg train --folds', that the numbers are for. {RULE}",
            autocompletion=networks,
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="DIR",
            help="The data set that the networks were trained on; of an imported one patients who are new to it.",
        ),
    ],
    folds: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="Folds, or a run, whose held-out patients are fitted on; may be repeated. NETWORK's own if not given.",
        ),
    ] = None,
    choice: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Threshold and post-processing; choice.json beside the folds or NETWORK if not given."
        ),
    ] = None,
    int8: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A converted file of NETWORK, or small/onnx-int8: does it flag the same patients as float?",
        ),
    ] = None,
    unseen: Annotated[
        bool,
        typer.Option(
            "--unseen",
            help="Say that NETWORK, which was imported, learned from none of these patients; nobody else can know.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The result; trust.json in NETWORK, or in choices/NAME, if not given."),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also put the tables between the comments 'table:begin' and 'table:end' of a Markdown file.",
        ),
    ] = None,
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    backend: Annotated[str, typer.Option(help="What runs the networks: tensorflow, jax or torch.")] = "tensorflow",
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Fit what tells that a mask may be wrong: expected Dice, when to look, and an interval for the volume.

    It is fitted on patients that the networks had not learned from, and each fold is scored by what was fitted on the
    others. 'edgeseg build --from' and 'edgeseg ship' put it into the contract from trust.json beside the weights.
    """
    from edgeseg.backend import load_keras
    from edgeseg.checkpoint import weights_path
    from edgeseg.cli._model import artifact
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.place import require_record
    from edgeseg.reports.table import splice
    from edgeseg.reports.trust import trust_markdown, trust_table
    from edgeseg.stages.trust import TRUST_FILE, TrustInputs
    from edgeseg.stages.trust import trust as run

    places = {given: weights_path(given) for given in (network, *(folds or ()))}
    place = places[network]
    keep = {path: Path("choices") / path.name for given, path in places.items() if path != given}
    written = out or keep.get(place, place if place.is_dir() else place.parent) / TRUST_FILE
    require_record(written, what="what 'edgeseg trust' writes", keys=frozenset({"figures", "weights_sha256"}))
    load_keras(backend)
    _, slices = decoded(data, cache, layout=layout, labels=labels, plane=plane, doing="reading slices")
    given = TrustInputs(
        network=place,
        folds=tuple(map(weights_path, folds or ())),
        choice=choice,
        int8=None if int8 is None else artifact(int8),
        keep=keep,
        unseen=unseen,
    )
    with counted("judging patients") as progress:
        found = run(given, slices, out=written, progress=progress)
    if into is not None:
        splice(trust_markdown(found), into)
    if as_json:
        typer.echo(to_json(found))
    else:
        show(trust_table(found, written=written))
