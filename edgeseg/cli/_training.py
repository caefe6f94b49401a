"""What a training run says on stderr: a progress bar, and how to go on after Ctrl-C."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from edgeseg.stages.train import TrainProgress


@contextlib.contextmanager
def training_bar(
    first: str = "compiling the network; the first step takes longest",
) -> Iterator[Callable[[TrainProgress], None]]:
    """Give a callback that moves a bar with the time left; a line an epoch where stderr is no terminal.

    `first` is what it says before the first step.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from edgeseg.cli._terminal import console as make_console

    console = make_console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(first, total=None)
        if not console.is_terminal:
            console.print(first, highlight=False)

        def update(at: TrainProgress) -> None:
            dice = "" if at.dice_mean is None else f", Dice {at.dice_mean:.3f}"
            text = f"epoch {at.epoch}/{at.epochs}, loss {at.loss:.3f}{dice}"
            bar.update(task, description=text, completed=at.done, total=at.total)
            if not console.is_terminal and at.step == at.steps_per_epoch:
                console.print(text, highlight=False)

        yield update


@contextlib.contextmanager
def resumable(out: Path, *, below: str = "") -> Iterator[None]:
    """On Ctrl-C say how to go on, where something was saved in `out` or in the folders `below` it (a glob)."""
    from edgeseg.stages.train import STATE

    try:
        yield
    except KeyboardInterrupt:
        if any(out.glob(f"{below}{STATE}")):
            typer.echo(f"stopped; what is done so far is in {out}, go on with --resume", err=True)
        raise
