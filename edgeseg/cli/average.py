"""`edgeseg average`: the mean of the weights of several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._options import out_option
from edgeseg.cli._weights import weights_argument


def average(
    runs: Annotated[
        list[Path], weights_argument("A run and those started from it with 'train --from'", metavar="RUN...")
    ],
    out: Annotated[Path, out_option("The new run's folder.", metavar="DIR")],
) -> None:
    """Average the weights of a training and of what was started from it, into a run that build and ship take.

    A run that is named more than once counts as often.
    """
    from edgeseg.stages.train import average as run

    typer.echo(f"weights: {run(runs, out=out)}")
