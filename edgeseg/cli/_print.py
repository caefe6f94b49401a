"""Tables on stdout, never wider than 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

COLUMNS = 80


def show(*drawn: RenderableType, console: Console | None = None) -> None:
    """Print what rich draws, one below the other, without spaces at line ends; on stdout unless told otherwise."""
    from edgeseg.cli import _terminal

    place = console or _terminal.console()
    for part in drawn:
        with place.capture() as caught:
            place.print(part, width=min(place.width, COLUMNS), highlight=False)
        place.file.write("".join(f"{line.rstrip()}\n" for line in caught.get().splitlines()))
