"""What each subgroup of the patients scores, and which of those that are large enough is the worst."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from edgeseg.data.subgroups import Grouping
from edgeseg.errors import OptionError
from edgeseg.metrics import bootstrap_interval
from edgeseg.results import PatientScore, SubgroupResult, SubgroupScore

MIN_PATIENTS = 5
"""Of how many patients a subgroup has to be before it can be called the worst, unless told otherwise."""


def check_min_subgroup(patients: int) -> None:
    """Refuse a smallest size of subgroups that is none.

    Raises:
        OptionError: below 1.
    """
    if patients < 1:
        raise OptionError(f"min-subgroup is {patients}; a subgroup has at least 1 patient")


def subgroup_results(
    scores: Sequence[PatientScore], groupings: Iterable[Grouping], *, seed: int, min_patients: int = MIN_PATIENTS
) -> tuple[SubgroupResult, ...]:
    """Sum up the subgroups of each grouping, in the order of their names.

    Args:
        scores: of the patients, at least one.
        groupings: each has the subgroup of every patient scored.
        seed: of the bootstrap.
        min_patients: smaller subgroups are shown and never called the worst.

    Raises:
        OptionError: when `min_patients` is below 1.
    """
    check_min_subgroup(min_patients)
    return tuple(_result(scores, grouping, seed, min_patients) for grouping in groupings)


def _result(scores: Sequence[PatientScore], grouping: Grouping, seed: int, min_patients: int) -> SubgroupResult:
    dice: dict[str, list[float]] = {}
    for score in scores:
        dice.setdefault(grouping.groups[score.patient], []).append(score.dice)
    subgroups = tuple(
        SubgroupScore(
            subgroup=name,
            patients=len(values),
            dice=bootstrap_interval(values, seed=seed),
            dice_median=median(values),
        )
        for name, values in sorted(dice.items())
    )
    large = [one for one in subgroups if one.patients >= min_patients]
    worst = min(large, key=lambda one: one.dice.mean).subgroup if large else None
    return SubgroupResult(column=grouping.column, subgroups=subgroups, min_patients=min_patients, worst=worst)
