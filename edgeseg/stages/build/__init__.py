"""The main job: data, model, compress, convert, verify, evaluate, benchmark, report."""

from __future__ import annotations

from edgeseg.stages.build.build import build, build_matrix
from edgeseg.stages.build.folds import build_folds, fold_specs
from edgeseg.stages.build.inputs import EVALUATION_START
from edgeseg.stages.build.matrix import every_variant
from edgeseg.stages.build.original import time_network
from edgeseg.stages.build.page import PATIENTS, write_page
from edgeseg.stages.build.rows import failures

__all__ = [
    "EVALUATION_START",
    "PATIENTS",
    "build",
    "build_folds",
    "build_matrix",
    "every_variant",
    "failures",
    "fold_specs",
    "time_network",
    "write_page",
]
