"""Ablations: a plan of trainings, each row held against the base on the same patients."""

from __future__ import annotations

from edgeseg.stages.experiments.plan import read_plan
from edgeseg.stages.experiments.run import run_experiments

__all__ = [
    "read_plan",
    "run_experiments",
]
