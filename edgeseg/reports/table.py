"""The look of every table: for a terminal of 80 columns, and in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from edgeseg import artifacts
from edgeseg.errors import OptionError
from edgeseg.jsonio import read_document
from edgeseg.reports.escape import markdown_text, visible


def literal(text: str, style: str = "") -> Text:
    """Give a text to rich as it is: no markup is read in it, and nothing in it steers the terminal.

    Names of folders and series come from outside; one may be called `[/red]`, or hold an escape sequence. See
    `edgeseg.reports.escape.visible`.
    """
    return Text(visible(text), style=style)


def figures(*names: str, wrap: bool = False) -> tuple[Column, ...]:
    """Return columns of figures, to the right; their cells and heads are never broken unless `wrap`."""
    return tuple(Column(name, justify="right", no_wrap=not wrap) for name in names)


def rich_table(
    columns: Iterable[Column],
    rows: Iterable[Sequence[str | Text]],
    *,
    title: str | None = None,
    title_style: str = "bold",
    gap: int = 1,
    head: bool = True,
    edge: bool = False,
    ruled: bool = False,
) -> Table:
    """Draw a table for a terminal; every text that is not a `Text` is taken as `literal`.

    Args:
        columns: how each is set; their heads are taken as they are too, and they may serve several tables.
        rows: the cells.
        title: above it, to the left.
        title_style: of the title.
        gap: columns of blanks between two columns.
        head: whether the heads are drawn.
        edge: whether the gap stands behind the last column too.
        ruled: whether there is a line below the heads; gap and edge are then as rich has them.
    """
    table = Table(
        *(replace(column.copy(), header=_cell(column.header)) for column in columns),
        title=None if title is None else literal(title, title_style),
        title_justify="left",
        box=box.SIMPLE_HEAD if ruled else None,
        padding=(0, 1) if ruled else (0, gap, 0, 0),
        pad_edge=edge or ruled,
        show_header=head,
    )
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def pairs(
    rows: Iterable[tuple[str, str]], *, title: str | None = None, style: str = "", min_width: int | None = None
) -> RenderableType:
    """Draw names and what belongs to them, a line each, below a bold title."""
    columns = (Column(no_wrap=True, style=style, min_width=min_width), Column(overflow="fold"))
    table = rich_table(columns, rows, gap=2, head=False)
    return table if title is None else Group(literal(title, "bold"), table)


def markdown_table_lines(head: Sequence[str | None], rows: Iterable[Sequence[str]]) -> list[str]:
    """Draw a table in Markdown, a line of text each; what would break a cell is escaped.

    A column whose head is None has no name.
    """
    heads = "".join(" |" if name is None else f" {name} |" for name in head)
    lines = [f"|{heads}", f"|{'---|' * len(head)}"]
    return [*lines, *(markdown_row(row) for row in rows)]


def markdown_row(cells: Iterable[str]) -> str:
    """Draw one row of such a table."""
    return f"| {' | '.join(map(escape, cells))} |"


def escape(cell: str) -> str:
    """Make a text fit for Markdown: it stays in its cell and on its line, opens no HTML, and steers no terminal."""
    return markdown_text(cell)


def _cell(content: RenderableType) -> RenderableType:
    return literal(content) if isinstance(content, str) else content


TABLE_BEGIN, TABLE_END = "<!-- table:begin -->", "<!-- table:end -->"


def splice(table: str, path: Path) -> Path:
    """Put a Markdown table between `<!-- table:begin -->` and `<!-- table:end -->` of a file; all else stays.

    Raises:
        OptionError: as `spliced`.
        OutputError: when the file cannot be written.
    """
    return artifacts.write_text(path, spliced(table, path))


def spliced(table: str, path: Path) -> str:
    """Return the text of a file with a Markdown table between its two markers.

    Raises:
        OptionError: when the file cannot be read or does not hold each marker once, in that order.
    """
    try:
        text = read_document(path).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise OptionError(f"cannot read {path}: {why}; --into takes an existing Markdown file") from error
    begin, end = text.find(TABLE_BEGIN), text.find(TABLE_END)
    if text.count(TABLE_BEGIN) != 1 or text.count(TABLE_END) != 1 or end < begin:
        raise OptionError(
            f"{path} must hold '{TABLE_BEGIN}' and after it '{TABLE_END}', each once; add the two lines where the "
            "table belongs"
        )
    return f"{text[: begin + len(TABLE_BEGIN)]}\n\n{table.strip()}\n\n{text[end:]}"
