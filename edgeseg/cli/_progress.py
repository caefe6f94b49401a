"""Progress on stderr: a bar with the time left where calls are counted, a line where they are not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import typer

from edgeseg.progress import Progress


@contextlib.contextmanager
def counted(what: str, *, total: int | None = None) -> Iterator[Progress]:
    """Give what moves a bar on stderr, to `total` where a stage does not know it; no terminal, no bar."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done, known, _: bar.update(task, completed=done, total=known)


def line(text: str) -> None:
    """Write one line on stderr."""
    typer.echo(text, err=True)
