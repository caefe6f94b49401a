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
    refuse_overwrite,
    write_csv,
)
from edgeseg.stages.train.teach import soft_labels
from edgeseg.stages.train.train import compile_for, train
from edgeseg.stages.train.trained import bare_network, check_fed, fed, targets_on_grid

__all__ = [
    "HISTORY",
    "STATE",
    "WEIGHTS",
    "History",
    "OnTraining",
    "TrainProgress",
    "average",
    "bare_network",
    "check_fed",
    "compile_for",
    "complete_run",
    "fed",
    "fold_folders",
    "holds_run",
    "of_fold",
    "read_history",
    "refuse_overwrite",
    "soft_labels",
    "targets_on_grid",
    "train",
    "write_csv",
]
