"""Which subgroup each patient belongs to: the site that the data set says, or a column of a CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseg.data.layouts.csv_list import csv_of
from edgeseg.data.table_file import PATIENT, Table, read_table
from edgeseg.data.volume import Dataset
from edgeseg.errors import DatasetError, OptionError

SITE = "site"
"""The column that every data set has, as far as it says where patients come from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """One way to part patients: `groups` holds the subgroup of each, by id; "" where it is not known."""

    column: str
    groups: dict[str, str]


def by_site(dataset: Dataset, patients: Sequence[str] | None = None) -> Grouping:
    """Part patients, all of the data set unless given, by the site that it says."""
    named = dataset.patients if patients is None else patients
    return Grouping(column=SITE, groups={patient: dataset.institution(patient) for patient in named})


def several_sites(dataset: Dataset, patients: Sequence[str]) -> tuple[Grouping, ...]:
    """Part patients by site where they are of at least two that are known; nothing elsewhere."""
    sites = by_site(dataset, patients)
    return (sites,) if len(set(sites.groups.values()) - {""}) > 1 else ()


def parted(
    dataset: Dataset, patients: Sequence[str], columns: Sequence[str], *, table: Path | None = None
) -> tuple[Grouping, ...]:
    """Part patients in several ways.

    Args:
        dataset: whose patients they are.
        patients: who is to be parted.
        columns: `site`, or columns of the table.
        table: a CSV with the columns `patient` and `columns`, a row or more for each patient; a data set that is such a
            list itself brings its own.

    Raises:
        OptionError: for a column other than `site` where there is no table, and for `site` where nothing says it.
        DatasetError: when the table lacks a column or a patient, or has a patient in two subgroups.
    """
    found: list[Grouping] = []
    read = None if table is None else read_table(table)
    for column in dict.fromkeys(columns):
        if read is not None and (column != SITE or SITE in read.columns):
            found.append(of_column(read, column, patients))
            continue
        if column != SITE:
            raise OptionError(
                f"--by {column} names a column, and the data set is no CSV that could have it; give one with the "
                f"columns {PATIENT} and {column} by --subgroups FILE"
            )
        own = by_site(dataset, patients)
        if not any(own.groups.values()):
            raise OptionError(
                f"--by {SITE} was given, and the data set '{dataset.name}' does not say where its patients come from; "
                f"give a CSV with the columns {PATIENT} and {SITE} by --subgroups FILE"
            )
        found.append(own)
    return tuple(found)


def own_table(data: Path) -> Path | None:
    """Return the CSV that a data set is a list of; None where it is in another layout."""
    return csv_of(data) if data.exists() else None


def of_column(table: Table, column: str, patients: Sequence[str]) -> Grouping:
    """Part patients by a column of a table, which has a row or more for each.

    Raises:
        DatasetError: when the column or a patient is missing, or a patient is in two subgroups.
    """
    if column not in table.columns:
        raise DatasetError(
            f"{table.path}: the column '{column}' is missing; its columns are {', '.join(table.columns)}: name one of "
            "them with --by"
        )
    groups: dict[str, str] = {}
    for row in table.rows:
        if groups.setdefault(row[PATIENT], row[column]) != row[column]:
            raise DatasetError(
                f"{table.path}: patient '{row[PATIENT]}' is in two subgroups by '{column}', '{groups[row[PATIENT]]}' "
                f"and '{row[column]}'; a patient belongs to one, so correct the rows"
            )
    if absent := [patient for patient in patients if patient not in groups]:
        raise DatasetError(
            f"{table.path}: {len(absent)} of {len(patients)} patients have no row, '{absent[0]}' among them; "
            "add a row for each"
        )
    return Grouping(column=column, groups={patient: groups[patient] for patient in patients})
