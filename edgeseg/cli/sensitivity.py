"""`edgeseg sensitivity`: which layers the error of int8 comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import Threads, json_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeseg.results import SensitivityResult


def sensitivity(
    run: Annotated[Path, typer.Argument(metavar="MODEL", help="A run of 'edgeseg train', or its weights.")],
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set that the weights were trained on.")],
    target: Annotated[str, typer.Option(help="An int8 target: tflite-int8 or onnx-int8.")] = "tflite-int8",
    patients: Annotated[int, typer.Option(help="How many training patients to run.")] = 4,
    slices: Annotated[int, typer.Option(help="Calibration slices, where no ranges ship for the weights.")] = 128,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the layers as bars into this PNG.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the choice of patients and slices.")] = 0,
    threads: Threads = 2,
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
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.stages.calibrate import check_target, ranges_or_measured, ranking_patients, sensitivity

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    check_target(target)
    checkpoint, dataset = read_checkpoint(run), open_dataset(data)
    chosen = ranking_patients(checkpoint, dataset, count=patients, seed=seed)
    with counted("calibrating") as progress:
        model, recorded = ranges_or_measured(checkpoint, dataset, slices=slices, seed=seed, progress=progress)
    with counted("comparing layers") as progress:
        result = sensitivity(
            checkpoint, model, recorded, dataset, chosen, target=target, seed=seed, threads=threads, progress=progress
        )
    if plot is not None:
        from edgeseg.reports.sensitivity import draw

        artifacts.write_bytes(plot, draw(result))
    if as_json:
        typer.echo(to_json(result))
    else:
        show(*_table(result))


def _table(result: SensitivityResult) -> tuple[RenderableType, ...]:
    from rich.table import Table

    title = f"{result.variant} {result.target}: Dice {result.float_dice_mean:.4f} in float, {result.int8_dice_mean:.4f}"
    head = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    head.add_row(f"{title} in int8, logits at {_db(result.int8_sqnr_db)} dB")
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Layer", no_wrap=True)
    for name in ("Weights", "alone, dB", "Dice", "kept in float, dB", "Dice"):
        table.add_column(name, justify="right")
    for entry in result.worst_first():
        table.add_row(
            entry.layer,
            f"{entry.weights}",
            _db(entry.alone_sqnr_db),
            f"{entry.alone_dice_delta:+.4f}",
            "-" if entry.kept_gain_db is None else f"{entry.kept_gain_db:+.2f}",
            f"{entry.kept_dice_delta:+.4f}",
        )
    said = (
        "Worst first. alone: the only int8 layer, its signal-to-noise ratio in the logits and its change of Dice; "
        f"kept in float: the only float layer, what it gains. n = {result.patients} training patients of "
        f"{result.data}, {result.slices} slices; {result.calibration}; {result.numerics}."
    )
    note = Table(box=None, show_header=False, padding=0)
    note.add_row(said)
    return head, table, note


def _db(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
