"""What an ablation found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import Scoring, TrainSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutScore:
    """One held-out patient, over the whole volume."""

    patient: str
    dice: float
    tumour_free_slices: int
    false_positive_slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One row at one seed; `train_s` is what its training took, summed over its epochs.

    `start` and `mean_of` are the plan's rows that its weights were made from.
    """

    row: str
    seed: int
    train: TrainSpec
    score: Scoring
    train_patients: int
    patients: tuple[HeldOutScore, ...]
    parameters: int
    macs: int
    train_s: float
    backend: str
    start: str | None = field(default=None, metadata={LEFT_OUT: True})
    mean_of: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentLog:
    """Every outcome so far; the tables are made from it."""

    data: str
    outcomes: tuple[Outcome, ...] = ()
    schema_version: int = RESULT_SCHEMA_VERSION

    def of(self, row: str, seed: int) -> Outcome | None:
        """Return the outcome of a row at a seed, where there is one."""
        return next((o for o in self.outcomes if (o.row, o.seed) == (row, seed)), None)
