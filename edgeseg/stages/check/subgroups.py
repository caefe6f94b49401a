"""The rule on the subgroup that lost most: what a mean over all patients hides."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from edgeseg.data.subgroups import SITE, Grouping, of_column
from edgeseg.data.table_file import read_table
from edgeseg.errors import OptionError
from edgeseg.metrics import lower_bound
from edgeseg.results import BaselineArtifact, CheckCase, EvalResult

RULE = "subgroup"
MIN_SUBGROUP = 5


class Subgroups:
    """By what the patients of a build are parted: `site` as the build's scores have it, or a column of a CSV."""

    def __init__(self, column: str = SITE, table: Path | None = None) -> None:
        """Read the table where one is given.

        Raises:
            OptionError: for a column other than `site` without a table.
            DatasetError: when the table cannot be used.
        """
        if table is None and column != SITE:
            raise OptionError(
                f"--by {column} names a column, and the scores of a build have '{SITE}' alone; give a CSV with the "
                f"columns patient and {column} by --subgroups FILE"
            )
        self.column = column
        self._table = None if table is None else read_table(table)

    def of(self, scores: EvalResult) -> Grouping:
        """Part the patients that an artifact was scored on.

        Raises:
            DatasetError: when the table lacks the column or a patient, or has a patient in two subgroups.
        """
        if self._table is not None:
            return of_column(self._table, self.column, [score.patient for score in scores.patients])
        return Grouping(column=self.column, groups={score.patient: score.institution for score in scores.patients})


def subgroup_case(
    name: str,
    then: BaselineArtifact,
    now: Mapping[str, float],
    grouping: Grouping,
    *,
    limit: float,
    min_patients: int,
    seed: int,
) -> CheckCase:
    """Hold the subgroup whose mean Dice fell most, of those that are large enough, to a limit.

    Args:
        name: of the artifact.
        then: what it was; the same patients.
        now: the Dice of each patient.
        grouping: the subgroup of each patient.
        limit: how much of its mean a subgroup may lose.
        min_patients: smaller subgroups are not held.
        seed: of the bootstrap.
    """
    patients: dict[str, list[str]] = {}
    for patient in then.dice:
        patients.setdefault(grouping.groups[patient], []).append(patient)
    large = {group: members for group, members in sorted(patients.items()) if len(members) >= min_patients}
    if not large:
        detail = f"no subgroup by {grouping.column} has {min_patients} patients or more, so none could be held"
        return CheckCase(artifact=name, rule=RULE, passed=False, detail=detail, limit=limit)
    change = {group: [now[one] - then.dice[one] for one in members] for group, members in large.items()}
    worst = min(change, key=lambda group: fmean(change[group]))
    mean, bound = fmean(change[worst]), lower_bound(change[worst], seed=seed)
    small = (
        f"; {len(patients) - len(large)} of fewer than {min_patients} not held" if len(large) < len(patients) else ""
    )
    return CheckCase(
        artifact=name,
        rule=RULE,
        passed=-mean <= limit,
        detail=f"worst of {len(large)} by {grouping.column}: '{worst}', mean {mean:+.4f} over {len(change[worst])} "
        f"patients (95 % sure of {bound:+.4f} or more), may fall by {limit:g}{small}",
        baseline=fmean(then.dice[one] for one in large[worst]),
        now=fmean(now[one] for one in large[worst]),
        limit=limit,
        bound=bound,
    )
