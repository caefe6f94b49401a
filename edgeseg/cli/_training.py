"""The progress bar of a training run, on stderr."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.stages.train import TrainProgress


@contextlib.contextmanager
def training_bar() -> Iterator[Callable[[TrainProgress], None]]:
    """Give a callback that moves a bar with the time left; a line an epoch where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("training", total=None)

        def update(at: TrainProgress) -> None:
            dice = "" if at.dice_mean is None else f", Dice {at.dice_mean:.3f}"
            text = f"epoch {at.epoch}/{at.epochs}, loss {at.loss:.3f}{dice}"
            done = (at.epoch - 1) * at.steps_per_epoch + at.step
            bar.update(task, description=text, completed=done, total=at.epochs * at.steps_per_epoch)
            if not console.is_terminal and at.step == at.steps_per_epoch:
                console.print(text, highlight=False)

        yield update
