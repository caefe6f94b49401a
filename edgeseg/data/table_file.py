"""A CSV with a row for each patient, or for each of a patient's slices: its columns and rows, as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edgeseg.errors import DatasetError
from edgeseg.jsonio import JsonFormatError, decode, read_document

PATIENT, MASK, SITE = "patient", "mask", "site"
FIXED = (PATIENT, MASK, SITE)
"""Columns whose meaning is fixed."""
MARKS = (",", ";", "\t")
"""What may stand between cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV's columns in order, each once, and its rows, each with a patient; at least one row."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def read_table(path: Path, needed: Iterable[str] = (PATIENT,)) -> Table:
    """Read a CSV, whatever is between its cells: a comma, a semicolon or a tab. Lines without any cell are passed over.

    Columns in `FIXED` are found in capitals too.

    Args:
        path: the file; its first line names the columns.
        needed: columns that have to be there, `patient` among them.

    Raises:
        DatasetError: when it cannot be read, has no rows, a column that is there twice or not at all, a row of another
            length, or one that names no patient.
    """
    lines = _lines(path)
    if len(lines) < 2:
        raise DatasetError(f"{path}: it has no rows; the first line names the columns, each other a slice or a patient")
    columns = tuple(fixed(name) for name in lines[0])
    if twice := sorted({column for column in columns if columns.count(column) > 1}):
        raise DatasetError(f"{path}: the column '{twice[0]}' is there twice; name each once")
    if missing := [name for name in needed if name not in columns]:
        raise DatasetError(
            f"{path}: the column '{missing[0]}' is missing; its columns are {', '.join(columns)}: add it, or rename one"
        )
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(columns):
            raise DatasetError(
                f"{path}: row {number} has {len(line)} cells and the first line {len(columns)}; correct it"
            )
    rows = tuple(dict(zip(columns, line, strict=True)) for line in lines[1:])
    if any(not row[PATIENT] for row in rows):
        raise DatasetError(f"{path}: a row names no patient; splits are by patient, so fill in the column '{PATIENT}'")
    return Table(path=path, columns=columns, rows=rows)


def fixed(column: str) -> str:
    """Return the name of a column of `FIXED` in small letters; another as it is."""
    return column.casefold() if column.casefold() in FIXED else column


def one_ending(text: str) -> str:
    """Return text whose lines all end in a line feed, whatever machine wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(path: Path) -> list[list[str]]:
    try:
        text = one_ending(decode(read_document(path)))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); give the path of a CSV") from error
    except JsonFormatError as error:
        raise DatasetError(f"{path}: it is {error}") from error
    first = next((line for line in text.split("\n") if line.strip()), "")
    mark = max(MARKS, key=first.count)
    try:
        return [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), delimiter=mark) if any(line)]
    except csv.Error as error:
        raise DatasetError(f"{path}: it is no CSV ({error}); save it again") from error
