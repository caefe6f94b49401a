"""The plan of an ablation: which questions, and per answer what differs from the base. Read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain
from edgeseg.specs import PostProcessing, TrainSpec
from edgeseg.stages.predictor import check_flips

BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How a trained network is scored.

    `weights` is `average` (what ships) or `last` (those of the last step). `flips` is a key of
    `predictor.FLIPS`. `min_share` is that of `PostProcessing`.
    """

    weights: str = "average"
    flips: str = "none"
    threshold: float = 0.5
    min_share: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.weights not in ("average", "last"):
            raise OptionError(f"weights is '{self.weights}'; choose one of: average, last")
        check_flips(self.flips)
        if not 0.0 < self.threshold < 1.0:
            raise OptionError(f"threshold is {self.threshold}; it must lie strictly between 0 and 1")
        PostProcessing(min_share=self.min_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One answer: a training that differs from the base, or, with `of`, another scoring of a row that is trained.

    `teachers` are names of other rows, whose run of the same seed teaches this one.
    """

    name: str
    of: str | None = None
    seeds: tuple[int, ...] = (0,)
    train: dict[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    score: Scoring = field(default_factory=Scoring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rows that answer one question, beside the base."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole ablation; `held_out_folds` of the split are scored, the others are learned from."""

    split: Path
    held_out_folds: tuple[int, ...]
    base: Row
    questions: tuple[Question, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """The base and every row, in the order of the file."""
        return (self.base, *(row for question in self.questions for row in question.rows))

    def row(self, name: str) -> Row:
        """Return a row by name."""
        return next(row for row in self.rows if row.name == name)

    def spec(self, row: Row, *, seed: int, teachers: tuple[str, ...] = ()) -> TrainSpec:
        """Return what the training of a row is given; `teachers` are the SHA-256 of the weights it learns from.

        Raises:
            OptionError: for a hyper-parameter that does not exist or cannot be.
        """
        trained = self.row(row.of) if row.of else row
        plain = {**self.base.train, **trained.train}
        plain["variant"] = {**self.base.train.get("variant", {}), **trained.train.get("variant", {})}
        try:
            spec = from_plain(TrainSpec, {**plain, "teachers": list(teachers)}, path=f"row '{trained.name}'")
        except JsonFormatError as error:
            raise OptionError(f"{error}; see edgeseg.specs.TrainSpec for what there is") from error
        return replace(spec, seed=seed)


def read_plan(path: Path) -> Plan:
    """Read a plan.

    Raises:
        OptionError: when the file is missing, no TOML, has unknown keys, names a row twice or one that is not there.
    """
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(
            f"{path}: the plan cannot be read ({error.strerror}); give a TOML file of questions"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: not TOML ({error})") from error
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


def _row(plain: dict[str, Any]) -> Row:
    fixed = {key: list(value) if isinstance(value, tuple) else value for key, value in plain.items()}
    train = dict(fixed.pop("train", {}))
    return replace(from_plain(Row, fixed, path=f"row '{plain['name']}'"), train=train)


def _check(plan: Plan, path: Path) -> None:
    names = [row.name for row in plan.rows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"{path}: two rows are named '{twice[0]}'; each needs a name of its own")
    for row in plan.rows:
        for other in (*((row.of,) if row.of else ()), *row.teachers):
            if other not in names:
                raise OptionError(f"{path}: row '{row.name}' names '{other}', which is no row")
        if row.of and (row.train or row.teachers):
            raise OptionError(f"{path}: row '{row.name}' scores '{row.of}' anew, so it cannot train as well")
        if row.of and plan.row(row.of).of:
            raise OptionError(f"{path}: row '{row.name}' scores '{row.of}', which is not trained; name a trained row")
        if not row.teachers:
            plan.spec(row, seed=0)
