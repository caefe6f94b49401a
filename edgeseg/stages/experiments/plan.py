"""The plan of an ablation: which questions, and per answer what differs from the base. Read from TOML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain, parse_toml, read_document
from edgeseg.specs import BASE, ExperimentRow, Plan, Question


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
    except (JsonFormatError, KeyError, TypeError, AttributeError) as error:
        raise OptionError(f"{path}: not a plan ({error}); see benchmarks/experiments.toml") from error
    _check(plan, path)
    return plan


def _plan(plain: dict[str, Any], path: Path) -> Plan:
    if unknown := sorted(set(plain) - {"split", "held_out_folds", "base", "question"}):
        raise OptionError(f"{path}: unknown key '{unknown[0]}'; there are split, held_out_folds, base, question")
    return Plan(
        split=path.parent / plain["split"],
        held_out_folds=tuple(plain["held_out_folds"]),
        base=_row({"name": BASE, **plain["base"]}),
        questions=tuple(
            Question(title=question["title"], rows=tuple(_row(row) for row in question["row"]))
            for question in plain.get("question", ())
        ),
    )


def _row(plain: dict[str, Any]) -> ExperimentRow:
    fixed = {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
    train = dict(fixed.pop("train", {}))
    return replace(from_plain(ExperimentRow, fixed, path=f"row '{plain['name']}'"), train=train)


def _check(plan: Plan, path: Path) -> None:
    names = [row.name for row in plan.rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"{path}: two rows are named '{twice[0]}'; each needs a name of its own")
    for row in plan.rows:
        for other in (*(name for name in (row.of, row.start) if name), *row.teachers, *row.mean_of):
            if other not in names:
                raise OptionError(f"{path}: row '{row.name}' names '{other}', which is no row")
        if (row.of or row.mean_of) and (row.train or row.teachers or row.start or (row.of and row.mean_of)):
            raise OptionError(f"{path}: row '{row.name}' scores what other rows trained, so it cannot train as well")
        if row.of and plan.row(row.of).of:
            raise OptionError(f"{path}: row '{row.name}' scores '{row.of}', which is not trained; name a trained row")
        _check_order(row, plan, path)
        if not row.teachers:
            plan.spec(row, seed=0)


def _check_order(row: ExperimentRow, plan: Plan, path: Path) -> None:
    """Refuse a row that is made from itself, and a mean of what is none."""
    if len(row.mean_of) == 1:
        raise OptionError(f"{path}: row '{row.name}' is the mean of one row; name two or more")
    for name in row.mean_of:
        if plan.row(name).of or plan.row(name).mean_of:
            raise OptionError(f"{path}: row '{row.name}' is the mean of '{name}', which is not trained")
    names, begun = [row.name], row.start
    while begun is not None:
        if begun in names or plan.row(begun).of or plan.row(begun).mean_of:
            raise OptionError(f"{path}: row '{row.name}' starts from '{begun}', which is no training before it")
        names.append(begun)
        begun = plan.row(begun).start
