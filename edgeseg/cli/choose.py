"""`edgeseg choose`: the threshold and the post-processing that a network ships with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._complete import networks
from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import BootstrapSeed, json_option
from edgeseg.cli._weights import RULE


def choose(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help=f"The folder of 'edgeseg train --folds', or one run. {RULE}",
            autocompletion=networks,
        ),
    ],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set that the folds were trained on.")],
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    tta: Annotated[
        str, typer.Option(metavar="FLIPS", help="Test-time flips to measure: hflip, vflip or flips (both).")
    ] = "hflip",
    passes: Annotated[
        int, typer.Option(help="How often the network sees a slice: 2 also with left and right exchanged.")
    ] = 1,
    max_fp_share: Annotated[
        float, typer.Option(help="Of the tumour-free slices, at most this share with a false positive.")
    ] = 0.05,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Gets choice.json and the logits of one run; OUT, or choices/NAME, if not given."
        ),
    ] = None,
    seed: BootstrapSeed = 0,
    backend: Annotated[str, typer.Option(help="What runs the networks: tensorflow, jax or torch.")] = "tensorflow",
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Choose threshold and post-processing on out-of-fold predictions; writes OUT/choice.json.

    Each fold is scored at what was chosen on the others; what ships is chosen on all. The logits are kept in the runs'
    folders. Of a network by name both go to choices/NAME, and what ships stays as it is; 'edgeseg build --choice' takes
    that.
    """
    from edgeseg.backend import load_keras
    from edgeseg.checkpoint import weights_path
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.reports.choice import choice_table
    from edgeseg.stages.choose import CHOICE_FILE
    from edgeseg.stages.choose import choose as run

    run_folder = weights_path(out)
    if into is None and run_folder != out:
        into = Path("choices") / run_folder.name
    place = (into or out) / CHOICE_FILE
    stood = place.exists()
    load_keras(backend)
    _, slices = decoded(data, cache, layout=layout, labels=labels, plane=plane, doing="reading slices")
    with counted("scoring the grid") as progress:
        choice = run(
            run_folder,
            slices,
            into=into,
            flips=tta,
            max_fp_share=max_fp_share,
            passes=passes,
            seed=seed,
            progress=progress,
        )
    if as_json:
        typer.echo(to_json(choice))
    else:
        show(choice_table(choice, written=place, replaced=stood))
