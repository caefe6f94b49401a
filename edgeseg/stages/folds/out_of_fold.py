"""Every patient scored once, by the model of the fold that held them out: what cross-validation finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from edgeseg import artifacts
from edgeseg.errors import DatasetError
from edgeseg.jsonio import to_json
from edgeseg.metrics import BOOTSTRAP_SAMPLES, bootstrap_interval
from edgeseg.results import (
    FoldOutcome,
    FoldScore,
    OutOfFoldPatient,
    OutOfFoldResult,
)
from edgeseg.stages.score import by_institution

OUT_OF_FOLD = "out-of-fold.json"


def out_of_fold(outcomes: Sequence[FoldOutcome]) -> OutOfFoldResult:
    """Bring the folds of one training together.

    Raises:
        DatasetError: when there is no fold, a patient was scored twice, or by a model that saw them.
    """
    if not outcomes:
        raise DatasetError("no fold was trained; a score needs at least one")
    patients = tuple(OutOfFoldPatient(fold=o.fold, score=s) for o in outcomes for s in o.evaluation.patients)
    scores = [entry.score for entry in patients]
    if len({score.patient for score in scores}) < len(scores):
        raise DatasetError("a patient was scored in two folds; folds are disjoint, so make the split again")
    if seen := sum(o.evaluation.seen_patients for o in outcomes):
        raise DatasetError(f"{seen} patient(s) were scored by a model that saw them; out-of-fold means that none is")
    first = outcomes[0]
    lesions, free = sum(s.lesions for s in scores), sum(s.tumour_free_slices for s in scores)
    return OutOfFoldResult(
        variant=first.training.variant,
        data=first.evaluation.data,
        backend=first.training.backend,
        seed=first.training.seed,
        folds=tuple(map(_short, outcomes)),
        patients=patients,
        dice=bootstrap_interval([score.dice for score in scores], seed=first.evaluation.bootstrap_seed),
        dice_median=median(score.dice for score in scores),
        lesion_recall=sum(s.lesions_found for s in scores) / lesions if lesions else None,
        false_positive_slice_rate=sum(s.false_positive_slices for s in scores) / free if free else None,
        institutions=by_institution(scores),
        threshold=first.evaluation.threshold,
        numerics=first.evaluation.numerics,
        bootstrap_seed=first.evaluation.bootstrap_seed,
        bootstrap_samples=BOOTSTRAP_SAMPLES,
        versions=first.training.versions,
    )


def write_out_of_fold(result: OutOfFoldResult, out: Path) -> Path:
    """Write `out-of-fold.json` into the folder of the folds, in one step.

    Raises:
        OutputError: when it cannot be written.
    """
    return artifacts.write_text(out / OUT_OF_FOLD, to_json(result) + "\n")


def _short(outcome: FoldOutcome) -> FoldScore:
    training, evaluation = outcome.training, outcome.evaluation
    return FoldScore(
        fold=outcome.fold,
        weights=Path(*Path(training.weights).parts[-2:]).as_posix(),
        sha256=training.sha256,
        train_patients=training.train_patients,
        patients=len(evaluation.patients),
        dice_mean=evaluation.dice.mean,
        dice_median=evaluation.dice_median,
    )
