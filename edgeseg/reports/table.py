"""The look of every table: for a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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


def markdown_table_lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Draw a table in Markdown, a line of text each; what would break a cell is escaped."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(escape(cell) for cell in row)} |" for row in rows)]


def escape(cell: str) -> str:
    """Make a text fit for a cell of a Markdown table."""
    return cell.replace("|", "\\|").replace("\n", " ")
