"""The look of every table: for a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.table import Table

from edgeseg import artifacts
from edgeseg.errors import OptionError
from edgeseg.reports.escape import markdown_text


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
    return markdown_text(cell)


TABLE_BEGIN, TABLE_END = "<!-- table:begin -->", "<!-- table:end -->"


def splice(table: str, path: Path) -> Path:
    """Put a Markdown table between `<!-- table:begin -->` and `<!-- table:end -->` of a file; all else stays.

    Raises:
        OptionError: when the file cannot be read or does not hold each marker once, in that order.
        OutputError: when it cannot be written.
    """
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OptionError(f"cannot read {path}: {why}; --into takes an existing Markdown file") from error
    begin, end = text.find(TABLE_BEGIN), text.find(TABLE_END)
    if text.count(TABLE_BEGIN) != 1 or text.count(TABLE_END) != 1 or end < begin:
        raise OptionError(
            f"{path} must hold '{TABLE_BEGIN}' and after it '{TABLE_END}', each once; add the two lines where the "
            "table belongs"
        )
    new = f"{text[: begin + len(TABLE_BEGIN)]}\n\n{table.strip()}\n\n{text[end:]}"
    return artifacts.write_text(path, new)
