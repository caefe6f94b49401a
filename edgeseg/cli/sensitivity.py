"""`edgeseg sensitivity`: which layers the error of int8 comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._options import Threads, json_option
from edgeseg.cli._weights import weights_argument


def sensitivity(
    run: Annotated[Path, weights_argument("A run of 'edgeseg train' or 'import', or its weights")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set that the weights were trained on.")],
    target: Annotated[str, typer.Option(help="An int8 target: tflite-int8 or onnx-int8.")] = "tflite-int8",
    patients: Annotated[
        int | None, typer.Option(help="How many training patients to run; 4, or all of fewer, if not given.")
    ] = None,
    slices: Annotated[
        int | None,
        typer.Option(help="Calibration slices, where no ranges ship; else 128, or all."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the layers as bars into this PNG.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of patients and slices.")] = 0,
    threads: Threads = 2,
    layout: Layout = None,
    labels: Labels = None,
    as_json: Annotated[bool, json_option("Print JSON instead of a table.")] = False,
) -> None:
    """Measure for every layer what int8 costs: noise in the logits and Dice, alone and in company.

    Every figure comes from real files in which other layers stay in float. Only patients that trained the weights are
    run, so that those held out stay free for a confirmation.
    """
    from edgeseg import artifacts
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.data.open import open_dataset
    from edgeseg.data.plane import seen_in
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.reports.sensitivity import draw, sensitivity_table
    from edgeseg.stages.calibrate import check_target, ranges_or_measured, ranking_patients, sensitivity

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    check_target(target)
    checkpoint = read_checkpoint(run)
    dataset = seen_in(open_dataset(data, layout=layout, labels=labels), checkpoint.header.image.plane)
    chosen = ranking_patients(checkpoint, dataset, count=patients, seed=seed)
    with counted("calibrating") as progress:
        model, recorded = ranges_or_measured(checkpoint, dataset, slices=slices, seed=seed, progress=progress)
    with counted("comparing layers") as progress:
        result = sensitivity(
            checkpoint, model, recorded, dataset, chosen, target=target, seed=seed, threads=threads, progress=progress
        )
    if plot is not None:
        artifacts.write_bytes(plot, draw(result))
    if as_json:
        typer.echo(to_json(result))
    else:
        show(*sensitivity_table(result))
