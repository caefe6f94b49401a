"""The plan of an ablation: which questions, and per answer what differs from the base. Read from TOML."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs import BASE, ExperimentRow, Plan, Question, check_seed

_T = TypeVar("_T")
_KINDS: dict[type, str] = {str: "text", list: "a list", dict: "a table"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        OptionError: when the file is missing, no TOML, has unknown keys, names a row twice or one that is not there.
    """
    try:
        plain = parse_toml(read_document(path))
    except OSError as error:
        raise OptionError(
            f"{path}: the plan cannot be read ({error.strerror}); give a TOML file of questions"
        ) from error
    except JsonFormatError as error:
        raise OptionError(f"{path}: {error}; see benchmarks/experiments.toml") from error
    try:
        plan = _plan(plain, path)
    except JsonFormatError as error:
        raise OptionError(f"{path}: not a plan ({error}); see benchmarks/experiments.toml") from error
    _check(plan, path)
    return plan


def _plan(plain: dict[str, Any], path: Path) -> Plan:
    if unknown := sorted(set(plain) - {"split", "held_out_folds", "base", "question"}):
        raise OptionError(f"{path}: unknown key '{unknown[0]}'; there are split, held_out_folds, base, question")
    return Plan(
        split=path.parent / _given(plain, "split", str, "the plan"),
        held_out_folds=_folds(_given(plain, "held_out_folds", object, "the plan"), path),
        base=_row({"name": BASE, **_given(plain, "base", dict, "the plan")}, "[base]"),
        questions=tuple(map(_question, _tables(plain.get("question", []), "[[question]]"))),
    )


def _question(plain: dict[str, Any]) -> Question:
    title = _given(plain, "title", str, "a question")
    if not title.isprintable():
        raise JsonFormatError(f"title is {title[:70]!a}; one line of characters that can be seen is needed")
    rows = _tables(_given(plain, "row", list, f"question '{title}'"), "[[question.row]]")
    return Question(title=title, rows=tuple(_row(row, f"a row of question '{title}'") for row in rows))


def _given(plain: dict[str, Any], key: str, kind: type[_T], where: str) -> _T:
    """Return a key's value, which has to be of a kind."""
    if key not in plain:
        raise JsonFormatError(f"{where} has no '{key}'")
    value = plain[key]
    if not isinstance(value, kind):
        raise JsonFormatError(f"'{key}' of {where} is {str(value)[:70]!a}; {_KINDS[kind]} is needed")
    return value


def _tables(plain: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
        raise JsonFormatError(f"{str(plain)[:70]!a} stands where tables are needed, each headed {what}")
    return plain


def _folds(plain: Any, path: Path) -> tuple[int, ...]:
    numbers = isinstance(plain, list) and all(type(one) is int and one >= 0 for one in plain)
    if not numbers or not plain or len(set(plain)) != len(plain):
        raise OptionError(
            f"{path}: held_out_folds is {plain!r}; give numbers of folds, from 0 on, each once, such as [0]"
        )
    return tuple(plain)


def _row(plain: dict[str, Any], where: str) -> ExperimentRow:
    name = _given(plain, "name", str, where)
    train = _given({"train": {}, **plain}, "train", dict, f"row '{name}'")
    told = {key: value for key, value in plain.items() if key != "train"}
    return replace(from_plain(ExperimentRow, told, path=f"row '{name}'"), train=dict(train))


def _check(plan: Plan, path: Path) -> None:
    names = [row.name for row in plan.rows]
    if plan.base.name != BASE:
        raise OptionError(f"{path}: the base is named '{plan.base.name}'; leave its name out, it is '{BASE}'")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"{path}: two rows are named '{twice[0]}'; each needs a name of its own")
    for row in plan.rows:
        _check_row(row, names, path)
    for row in plan.rows:
        _check_order(row, plan, path)
        if not row.teachers:
            plan.spec(row, seed=0)


def _check_row(row: ExperimentRow, names: list[str], path: Path) -> None:
    """Refuse a row that nothing could be done for, whatever the other rows are."""
    if not _NAME.fullmatch(row.name):
        raise OptionError(
            f"{path}: a row is named '{row.name}', and its run's folder is named after it; use letters, digits, and "
            "'.', '_', '+' or '-' behind the first"
        )
    if not row.seeds or len(set(row.seeds)) != len(row.seeds):
        raise OptionError(f"{path}: row '{row.name}' has seeds {list(row.seeds)}; give at least one, each once")
    for seed in row.seeds:
        check_seed(seed)
    for other in (*(name for name in (row.of, row.start) if name), *row.teachers, *row.mean_of):
        if other not in names:
            raise OptionError(f"{path}: row '{row.name}' names '{other}', which is no row")
    if (row.of or row.mean_of) and (row.train or row.teachers or row.start or (row.of and row.mean_of)):
        raise OptionError(f"{path}: row '{row.name}' scores what other rows trained, so it cannot train as well")


def _check_order(row: ExperimentRow, plan: Plan, path: Path) -> None:
    """Refuse a row that is made from itself, and one that is made from what is not trained."""
    if row.of and plan.row(row.of).of:
        raise OptionError(f"{path}: row '{row.name}' scores '{row.of}', which is not trained; name a trained row")
    if len(row.mean_of) == 1:
        raise OptionError(f"{path}: row '{row.name}' is the mean of one row; name two or more")
    for name in row.mean_of:
        if plan.row(name).of or plan.row(name).mean_of:
            raise OptionError(f"{path}: row '{row.name}' is the mean of '{name}', which is not trained")
    for name in row.teachers:
        if plan.row(name).of:
            raise OptionError(
                f"{path}: row '{row.name}' learns from '{name}', which is not trained; name a trained row"
            )
    if row.start and (plan.row(row.start).of or plan.row(row.start).mean_of or row.name == row.start):
        raise OptionError(f"{path}: row '{row.name}' starts from '{row.start}', which is no training before it")
    if row.name in _needed(row, plan):
        raise OptionError(f"{path}: row '{row.name}' starts or learns from what comes of itself; no row can be first")


def _needed(row: ExperimentRow, plan: Plan) -> set[str]:
    """Return the names of all rows that have to be done before a row."""
    found: set[str] = set()
    open_rows = [row]
    while open_rows:
        one = open_rows.pop()
        before = {name for name in (one.of, one.start, *one.teachers, *one.mean_of) if name} - found
        found |= before
        open_rows += map(plan.row, sorted(before))
    return found
