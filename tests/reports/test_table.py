"""How tables are drawn, and that nothing from outside steers a terminal, ends a command or breaks a cell."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Column

from edgeseg.reports.escape import visible
from edgeseg.reports.table import escape, figures, literal, markdown_table_lines, pairs, rich_table
from edgeseg.reports.words import ABSENT, interval_text
from edgeseg.results import Interval

HOSTILE = ("a[", "[/red]", "[bold]x[/bold]", "p\\", ":smile:", "[link=file:///x]y", "[/]")
each_name = pytest.mark.parametrize("name", HOSTILE)


def _drawn(*parts: object, width: int = 80) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width)
    for part in parts:
        console.print(part, highlight=False)
    return stream.getvalue()


@each_name
def test_a_name_is_drawn_as_it_is_wherever_it_stands(name: str) -> None:
    table = rich_table((Column(name), *figures(name)), [(name, name)], title=name)
    assert _drawn(table).split() == [name] * 5
    assert _drawn(pairs([(name, name)], title=name)).split() == [name] * 3


@pytest.mark.parametrize(
    "sent", ["\x1b[31mred", "\x9b2J", "bell\x07", "back\x08", "nul\x00", "turned\u202e", "\u2067x"]
)
def test_nothing_steers_the_terminal(sent: str) -> None:
    kept = visible(sent)
    assert kept.isprintable()
    assert literal(sent).plain == kept != sent
    assert escape(sent) == kept
    assert _drawn(rich_table((Column(sent),), [(sent,)], title=sent)).split() == [kept] * 3


def test_line_feeds_and_letters_of_any_script_stay() -> None:
    assert literal("a\nb \u0631\u0623\u0633 \u8133").plain == "a\nb \u0631\u0623\u0633 \u8133"


def test_figures_stand_to_the_right_below_their_heads() -> None:
    text = _drawn(
        rich_table((Column("name"), *figures("n", "ms")), [("x", "12", "3.5"), ("long name", "1", "10.0")], gap=2)
    )
    assert [line.rstrip() for line in text.splitlines()] == [
        "name        n    ms",
        "x          12   3.5",
        "long name   1  10.0",
    ]


def test_a_cell_of_markdown_stays_one_cell() -> None:
    lines = markdown_table_lines((None, "b"), [("x|y\nz", "<script>")])
    assert lines == ["| | b |", "|---|---|", "| x\\|y z | &lt;script> |"]


def test_an_interval_is_written_in_one_way() -> None:
    interval = Interval(mean=0.5, low=-0.25, high=1.0)
    assert interval_text(interval) == "0.500 [-0.250, 1.000]"
    assert interval_text(interval, signed=True, digits=4) == "+0.5000 [-0.2500, +1.0000]"
    assert interval_text(interval, mark="* ") == "0.500* [-0.250, 1.000]"
    assert interval_text(None) == ABSENT


def test_columns_serve_several_tables() -> None:
    columns = (Column("name"), *figures("count"))
    tables = [rich_table(columns, [(name, str(number))]) for number, name in enumerate(("one", "two"))]
    stream = io.StringIO()
    for table in tables:
        Console(file=stream, width=40).print(table)
    assert [line.split() for line in stream.getvalue().splitlines()] == [
        ["name", "count"], ["one", "0"], ["name", "count"], ["two", "1"],
    ]  # fmt: skip
