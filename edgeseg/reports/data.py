"""What a data set holds, and how a split deals it; drawn for a terminal."""

from __future__ import annotations

from rich.table import Column, Table

from edgeseg.data.split import Split
from edgeseg.data.summary import DataSummary
from edgeseg.reports.table import figures, rich_table
from edgeseg.reports.words import ABSENT_ASCII


def summary_table(summary: DataSummary) -> Table:
    """Draw the institutions, and below a line all of them together."""
    heads = (Column("institution"), *figures("patients", "slices", "with tumour", wrap=True))
    table = rich_table(
        heads,
        (
            (row.institution or ABSENT_ASCII, *map(str, (row.patients, row.slices, row.tumour_slices)))
            for row in summary.institutions
        ),
        title=f"Data set {summary.data}",
        title_style="italic",
        ruled=True,
    )
    table.add_section()
    table.add_row("all", *map(str, (summary.patients, summary.slices, summary.tumour_slices)))
    return table


def split_table(made: Split) -> Table:
    """Draw the folds: what each holds, and how many patients of each institution."""
    described = {entry.patient: entry for entry in made.patients}
    institutions = sorted({entry.institution for entry in made.patients})
    places = (name or ABSENT_ASCII for name in institutions)
    heads = figures("patients", "slices", "with tumour", "tumour px", *places, wrap=True)
    members = [[described[patient] for patient in fold] for fold in made.folds]
    rows = (
        (
            len(fold),
            sum(entry.slices for entry in fold),
            sum(entry.tumour_slices for entry in fold),
            sum(entry.tumour_pixels for entry in fold),
            *(sum(entry.institution == name for entry in fold) for name in institutions),
        )
        for fold in members
    )
    return rich_table(
        (Column("fold"), *heads),
        ((str(index), *map(str, counts)) for index, counts in enumerate(rows)),
        title=f"{len(made.folds)} folds of {made.data}, seed {made.seed}",
        title_style="italic",
        ruled=True,
    )
