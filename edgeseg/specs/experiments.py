"""The plan of an ablation: which questions, and per answer what differs from the base."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgeseg.errors import OptionError
from edgeseg.jsonio import JsonFormatError, from_plain
from edgeseg.specs.flips import check_flips
from edgeseg.specs.post_processing import PostProcessing
from edgeseg.specs.training import TrainSpec

BASE = "base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """How a trained network is scored.

    `weights` is `average` (what ships) or `last` (those of the last step). `flips` is a key of
    `predictor.FLIPS`. `min_share` is that of `PostProcessing`. `blank` is a channel that is shown black, "" for none.
    """

    weights: str = "average"
    flips: str = "none"
    threshold: float = 0.5
    min_share: float = 0.0
    blank: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.weights not in ("average", "last"):
            raise OptionError(f"weights is '{self.weights}'; choose one of: average, last")
        check_flips(self.flips)
        if not 0.0 < self.threshold < 1.0:
            raise OptionError(f"threshold is {self.threshold}; it must lie strictly between 0 and 1")
        PostProcessing(min_share=self.min_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentRow:
    """One answer: a training that differs from the base, or, with `of`, another scoring of a row that is trained.

    `teachers` are names of other rows, whose run of the same seed teaches this one. `start` is a row whose run of the
    same seed this one goes on from. With `mean_of` nothing is trained: the weights are the mean of those rows'.
    """

    name: str
    of: str | None = None
    seeds: tuple[int, ...] = (0,)
    train: dict[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    start: str | None = None
    mean_of: tuple[str, ...] = ()
    score: Scoring = field(default_factory=Scoring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Rows that answer one question, beside the base."""

    title: str
    rows: tuple[ExperimentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole ablation; `held_out_folds` of the split are scored, the others are learned from."""

    split: Path
    held_out_folds: tuple[int, ...]
    base: ExperimentRow
    questions: tuple[Question, ...]

    @property
    def rows(self) -> tuple[ExperimentRow, ...]:
        """The base and every row, in the order of the file."""
        return (self.base, *(row for question in self.questions for row in question.rows))

    def row(self, name: str) -> ExperimentRow:
        """Return a row by name."""
        return next(row for row in self.rows if row.name == name)

    def trained(self, row: ExperimentRow) -> ExperimentRow:
        """Return the row whose training a row is scored by: of a mean the last one's."""
        found = self.row(row.of) if row.of else row
        return self.trained(self.row(found.mean_of[-1])) if found.mean_of else found

    def spec(
        self, row: ExperimentRow, *, seed: int, teachers: tuple[str, ...] = (), initial: str | None = None
    ) -> TrainSpec:
        """Return what the training of a row is given.

        `teachers` and `initial` are the SHA-256 of the weights that it learns from, and that it starts from.

        Raises:
            OptionError: for a hyper-parameter that does not exist or cannot be.
        """
        trained = self.trained(row)
        plain = {**self.base.train, **trained.train}
        plain["variant"] = {**self.base.train.get("variant", {}), **trained.train.get("variant", {})}
        try:
            spec = from_plain(TrainSpec, {**plain, "teachers": list(teachers)}, path=f"row '{trained.name}'")
        except JsonFormatError as error:
            raise OptionError(f"{error}; see edgeseg.specs.TrainSpec for what there is") from error
        return replace(spec, seed=seed, initial=initial)
