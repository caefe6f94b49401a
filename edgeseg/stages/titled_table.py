"""The look of a titled table that fits 80 columns."""

from __future__ import annotations

from rich.table import Table


def titled_table(title: str | None) -> Table:
    """Begin a table without lines, its title bold and to the left."""
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        header_style="bold",
    )
