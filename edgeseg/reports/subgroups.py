"""What subgroups of patients score: a table of each, and one sentence on the worst."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Column, Table

from edgeseg.reports.table import figures, rich_table
from edgeseg.reports.words import ABSENT, ABSENT_ASCII, interval_text
from edgeseg.results import ArtifactRow, SubgroupResult

_NAME_COLUMNS = 24


def subgroup_table(result: SubgroupResult) -> Table:
    """Draw a line per subgroup: its name, how many patients, and mean and median of their Dice."""
    rows = (
        (one.subgroup or ABSENT_ASCII, f"{one.patients}", interval_text(one.dice), f"{one.dice_median:.3f}")
        for one in result.subgroups
    )
    name = Column(result.column[:1].upper() + result.column[1:], overflow="fold", max_width=_NAME_COLUMNS)
    return rich_table((name, *figures("Patients", "Dice mean [95 %]", "median")), rows)


def worst_text(result: SubgroupResult) -> str:
    """Say which subgroup is the worst, out of those that are large enough."""
    least = f"{result.min_patients} patient{'s' if result.min_patients > 1 else ''}"
    worst = result.worst_score
    if worst is None:
        return f"No subgroup by {result.column} has {least} or more, so none is called the worst."
    called = f"'{worst.subgroup}'" if worst.subgroup else "that of patients of whom it is not known"
    return (
        f"The worst subgroup by {result.column}, of those of at least {least}: {called}, n = {worst.patients}, Dice "
        f"{interval_text(worst.dice)}."
    )


def worst_rows(rows: Sequence[ArtifactRow]) -> list[tuple[str, str, str, str, str]]:
    """Give for each artifact and column the worst large enough subgroup, how many patients it has, and its Dice."""
    return [
        (
            f"{row.variant} {row.target}",
            result.column,
            worst.subgroup or ABSENT,
            f"{worst.patients}",
            interval_text(worst.dice),
        )
        for row in rows
        if row.evaluation is not None
        for result in row.evaluation.subgroups
        if (worst := result.worst_score) is not None
    ]


WORST_HEAD = ("artifact", "by", "worst subgroup", "n", "Dice [95 %]")
