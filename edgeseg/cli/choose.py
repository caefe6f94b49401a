"""`edgeseg choose`: the threshold and the post-processing that a network ships with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._options import BootstrapSeed, json_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgeseg.results import Choice, ChoiceStep, Interval


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
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Choose threshold and post-processing on out-of-fold predictions; writes OUT/choice.json.

    Each fold is scored at what was chosen on the others; what ships is chosen on all. The logits are kept in the runs'
    folders.
    """
    from edgeseg.backend import load_keras
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import counted
    from edgeseg.data.cache import cached, folder_key
    from edgeseg.data.open import open_dataset
    from edgeseg.jsonio import to_json
    from edgeseg.stages.choose import choose as run

    load_keras(backend)
    dataset = open_dataset(data)
    with counted("reading slices") as progress:
        slices = cached(dataset, folder_key(data), root=cache, progress=progress)
    with counted("scoring the grid") as progress:
        choice = run(out, slices, flips=tta, max_fp_share=max_fp_share, seed=seed, progress=progress)
    if as_json:
        typer.echo(to_json(choice))
    else:
        show(_drawn(choice, out))


def _drawn(choice: Choice, out: Path) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from edgeseg.stages.choose import CHOICE_FILE

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("Chosen", overflow="fold", max_width=22)
    for name in ("Dice mean [95 %]", "median", "to plain", "FP", "lesions"):
        table.add_column(name, justify="right", no_wrap=True)
    for step in choice.steps:
        table.add_row(Text(step.name), *_figures(step))
    point, drops = choice.chosen, choice.chosen.post_processing
    lines: list[str | RenderableType] = [
        f"{choice.variant} on {choice.data}: each {choice.left_out} scored at what was chosen on the others, "
        f"n = {sum(len(group.patients) for group in choice.groups)} patients",
        table,
        f"to ship: threshold {point.threshold:g}; volumes: {drops.describe(volume=True)}; lone slices: "
        f"{drops.describe(volume=False)}",
        f"written: {out / CHOICE_FILE}",
    ]
    if not choice.cap_met:
        lines.append(
            f"No point keeps false positives to {100 * choice.max_fp_share:g} % of the tumour-free slices; the one "
            "with the fewest was taken."
        )
    return Group(*(Text(line, overflow="fold") if isinstance(line, str) else line for line in lines))


def _figures(step: ChoiceStep) -> tuple[str, ...]:
    share = 100 * step.false_positive_slices / step.tumour_free_slices if step.tumour_free_slices else 0.0
    return (
        _interval(step.dice, ".3f"),
        f"{step.dice_median:.3f}",
        "-" if step.delta is None else _interval(step.delta, "+.4f"),
        f"{share:.1f} %",
        f"{step.lesions_found}/{step.lesions}",
    )


def _interval(interval: Interval, form: str) -> str:
    return f"{interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
