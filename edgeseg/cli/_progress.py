"""Progress on stderr: a bar with the time left where calls are counted, a line where they are not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from edgeseg.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def counted(what: str, *, total: int | None = None) -> Iterator[Progress]:
    """Give what moves a bar on stderr, to `total` where a stage does not know it; no terminal, no bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from edgeseg.cli._terminal import console as make_console

    console = make_console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, known, _: bar.update(task, completed=done, total=known)


@contextlib.contextmanager
def named(what: str, console: Console) -> Iterator[Progress]:
    """Give what moves a bar that shows the name of what is done; none is drawn where there is no terminal."""
    from rich import progress as bars

    text = bars.TextColumn("{task.description}", markup=False, style="progress.description")
    columns = (text, bars.BarColumn(), bars.TaskProgressColumn(), bars.TimeRemainingColumn())
    with bars.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=name)


def line(text: str) -> None:
    """Write one line on stderr."""
    from edgeseg.reports.escape import one_line

    typer.echo(one_line(text), err=True)
