"""`edgeseg choose`: the threshold and the post-processing that a network ships with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import BootstrapSeed, json_option


def choose(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of 'edgeseg train --folds', or one run.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set that the folds were trained on.")],
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    tta: Annotated[
        str, typer.Option(metavar="FLIPS", help="Test-time flips to measure: hflip, vflip or flips (both).")
    ] = "hflip",
    max_fp_share: Annotated[
        float, typer.Option(help="Of the tumour-free slices, at most this share with a false positive.")
    ] = 0.05,
    seed: BootstrapSeed = 0,
    backend: Annotated[str, typer.Option(help="What runs the networks: tensorflow, jax or torch.")] = "tensorflow",
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Choose threshold and post-processing on out-of-fold predictions; writes OUT/choice.json.

    Each fold is scored at what was chosen on the others; what ships is chosen on all. The logits are kept in the runs'
    folders.
    """
    from edgeseg.backend import load_keras
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.jsonio import to_json
    from edgeseg.reports.choice import choice_table
    from edgeseg.stages.choose import CHOICE_FILE
    from edgeseg.stages.choose import choose as run

    load_keras(backend)
    _, slices = decoded(data, cache, layout=layout, labels=labels, plane=plane, doing="reading slices")
    with counted("scoring the grid") as progress:
        choice = run(out, slices, flips=tta, max_fp_share=max_fp_share, seed=seed, progress=progress)
    if as_json:
        typer.echo(to_json(choice))
    else:
        show(choice_table(choice, written=out / CHOICE_FILE))
