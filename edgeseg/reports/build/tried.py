"""What a search within a budget tried, for a terminal and for Markdown."""

from __future__ import annotations

from rich.table import Column, Table

from edgeseg.reports.table import figures, rich_table
from edgeseg.reports.words import ABSENT, milliseconds_text, size_text
from edgeseg.results import BudgetResult

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
    first, *others, last = TRIED_HEAD
    return rich_table(
        (Column(first, overflow="fold"), *figures(*others), Column(last, no_wrap=True)),
        tried_rows(searched),
        title=f"{searched.target}, tried on n = {searched.tried[0].drop.patients}; budget {searched.max_drop:g} Dice",
    )
