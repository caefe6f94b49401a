"""Every patient scored once, by the model of the fold that held them out."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION, Interval
from edgeseg.results.scores import EvalResult, InstitutionScore, PatientScore
from edgeseg.results.training import TrainResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldOutcome:
    """One fold: what its training left, and how the model does on the patients that were held out."""

    fold: int
    training: TrainResult
    evaluation: EvalResult


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldScore:
    """One fold in short; `weights` are named from the folder of the folds, `sha256` is theirs."""

    fold: int
    weights: str
    sha256: str
    train_patients: int
    patients: int
    dice_mean: float
    dice_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFoldPatient:
    """One patient, and the fold whose model never saw them."""

    fold: int
    score: PatientScore


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFoldResult:
    """What `out-of-fold.json` holds: all patients together, as in `EvalResult`, each scored by one of several models.

    `dice` is the mean over patients, not over folds. The models differ by the fold and share everything else.
    """

    variant: str
    data: str
    backend: str
    seed: int
    folds: tuple[FoldScore, ...]
    patients: tuple[OutOfFoldPatient, ...]
    dice: Interval
    dice_median: float
    lesion_recall: float | None
    false_positive_slice_rate: float | None
    institutions: tuple[InstitutionScore, ...]
    threshold: float
    numerics: str
    bootstrap_seed: int
    bootstrap_samples: int
    versions: dict[str, str]
    schema_version: int = RESULT_SCHEMA_VERSION
