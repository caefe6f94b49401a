"""Tables on stdout."""

from __future__ import annotations

import pytest
from rich.table import Table

from edgeseg.cli._print import COLUMNS, show


def test_lines_fit_and_end_without_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("a", "b", title="title", title_justify="left", box=None)
    table.add_row("word " * 40, "1")
    show(table, "", "last")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("title")
    assert lines[-2:] == ["", "last"]
    assert max(map(len, lines)) <= COLUMNS
    assert [line for line in lines if line != line.rstrip()] == []
