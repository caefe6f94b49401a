"""Cross-validation: a training per fold, and every patient scored by the model that never saw them."""

from __future__ import annotations

from edgeseg.stages.folds.logits import FoldRun, check_data, find_runs, held_out_logits, on_grid
from edgeseg.stages.folds.out_of_fold import OUT_OF_FOLD
from edgeseg.stages.folds.train import RayPlan, fold_jobs, train_folds

__all__ = [
    "OUT_OF_FOLD",
    "FoldRun",
    "RayPlan",
    "check_data",
    "find_runs",
    "fold_jobs",
    "held_out_logits",
    "on_grid",
    "train_folds",
]
