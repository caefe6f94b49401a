"""What a search within a budget tried, as lines for every report and as a table for a terminal."""

from __future__ import annotations

from rich.table import Table

from edgeseg.results import BudgetResult
from edgeseg.stages.titled_table import titled_table
from edgeseg.stages.wording import ABSENT, milliseconds_text, size_text

TRIED_HEAD = ("tried", "size", "p50, ms", "Dice lost", "at most", "")
"""Of `tried_rows`; `at most` is the one-sided 95 % bound of the loss."""


def tried_rows(searched: BudgetResult) -> list[tuple[str, ...]]:
    """Return the lines of one search within a budget, numbered in the order of cost as the plots number them."""
    return [
        (
            f"{number} {point.recipe}",
            size_text(point.size_bytes),
            ABSENT if point.latency is None else milliseconds_text(point.latency.latency_ms_p50),
            f"{point.drop.mean:+.4f}",
            f"{point.drop.bound:+.4f}",
            "taken" if point.recipe == searched.chosen else "rejected",
        )
        for number, point in enumerate(searched.tried, start=1)
    ]


def tried_table(searched: BudgetResult) -> Table:
    """Draw one search for 80 columns."""
    table = titled_table(
        f"{searched.target}, tried on n = {searched.tried[0].drop.patients}; budget {searched.max_drop:g} Dice"
    )
    table.add_column(TRIED_HEAD[0], overflow="fold")
    for name in TRIED_HEAD[1:-1]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(TRIED_HEAD[-1], no_wrap=True)
    for row in tried_rows(searched):
        table.add_row(*row)
    return table
