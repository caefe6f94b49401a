"""Chains of compression recipes on trained weights, alone or over the folds of a cross-validation."""

from __future__ import annotations

from edgeseg.stages.compress.compress import apply_recipe, compress
from edgeseg.stages.compress.folds import compress_folds
from edgeseg.stages.compress.workbench import StepWorkbench, validation_dice

__all__ = [
    "StepWorkbench",
    "apply_recipe",
    "compress",
    "compress_folds",
    "validation_dice",
]
