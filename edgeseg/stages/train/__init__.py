"""Learning a network from slices, in a folder that any end leaves fit to go on with."""

from __future__ import annotations

from edgeseg.stages.train.average import average
from edgeseg.stages.train.loop import OnTraining, TrainProgress
from edgeseg.stages.train.run_folder import (
    HISTORY,
    STATE,
    WEIGHTS,
    History,
    complete_run,
    fold_folders,
    holds_run,
    of_fold,
    read_history,
    refuse_folds,
    refuse_overwrite,
    write_csv,
)
from edgeseg.stages.train.teach import soft_labels
from edgeseg.stages.train.train import compile_for, train
from edgeseg.stages.train.trained import bare_network

__all__ = [
    "HISTORY",
    "STATE",
    "WEIGHTS",
    "History",
    "OnTraining",
    "TrainProgress",
    "average",
    "bare_network",
    "compile_for",
    "complete_run",
    "fold_folders",
    "holds_run",
    "of_fold",
    "read_history",
    "refuse_folds",
    "refuse_overwrite",
    "soft_labels",
    "train",
    "write_csv",
]
