"""`edgeseg experiments`: run an ablation and write its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._data import Labels, Layout, Plane, decoded
from edgeseg.cli._options import json_option


def experiments(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A TOML file, such as benchmarks/experiments.toml.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="A data set with reference masks.")],
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where the training runs are.")] = Path("runs/experiments"),
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The outcomes so far; beside the plan if not given.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="ROW", help="Do this row only; may be repeated.")] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also put the tables between the comments 'table:begin' and 'table:end' of a Markdown file.",
        ),
    ] = None,
    backend: Annotated[str, typer.Option(help="tensorflow, jax or torch.")] = "tensorflow",
    cache: Annotated[Path | None, typer.Option(metavar="DIR", help="Where decoded slices are kept.")] = None,
    layout: Layout = None,
    labels: Labels = None,
    plane: Plane = None,
    as_json: Annotated[bool, json_option("Print the outcomes as JSON instead of the tables.")] = False,
) -> None:
    """Train and score the rows of a plan on the same held-out patients, and print what differs from the base.

    What is in the log already, or trained already in --runs, is not done again; after Ctrl-C the same command goes on.
    """
    from edgeseg.cli._training import training_bar
    from edgeseg.data.split import check_split, read_split
    from edgeseg.jsonio import to_json
    from edgeseg.reports.experiments import markdown
    from edgeseg.reports.table import splice
    from edgeseg.specs import AXIAL
    from edgeseg.stages.experiments import read_plan, run_experiments

    asked = read_plan(plan)
    split = read_split(asked.split)
    dataset, slices = decoded(data, cache, layout=layout, labels=labels, plane=plane, doing="decoding slices")
    check_split(split, dataset if slices.index.resampled or slices.index.plane != AXIAL else slices)
    with training_bar() as progress:
        done = run_experiments(
            asked,
            slices,
            split,
            runs=runs,
            log=log or plan.with_suffix(".json"),
            only=tuple(only or ()),
            backend=backend,
            on_row=lambda row, seed: typer.echo(f"{row}, seed {seed}", err=True),
            progress=progress,
        )
    tables = markdown(asked, done)
    if into is not None:
        splice(tables, into)
    typer.echo(to_json(done) if as_json else tables)
