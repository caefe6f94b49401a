"""Distillation: a smaller network learns from drawn weights, taught by the one that is compressed.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531. Saves whatever the
student's smaller widths save: parameters, multiply-accumulates and latency.
"""

from __future__ import annotations

from dataclasses import replace

from edgeseg.checkpoint import Checkpoint
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench, fine_tuning
from edgeseg.specs import Distil
from edgeseg.variants.tiers import resolve_variant

NAME = "distil"


def apply(parent: Checkpoint, spec: Distil, bench: Workbench) -> Outcome:
    """Train the student.

    Raises:
        UnknownNameError: when the student is of no known family.
        SeenPatientError: when a teacher learned from a validation patient.
    """
    given = parent.header.variant
    variant = resolve_variant(
        spec.variant or given.name,
        alpha=spec.alpha,
        stem=spec.stem or given.stem,
        profile=spec.profile or given.profile,
    )
    if variant.name == given.name:
        levels = () if spec.profile else given.levels
        variant = replace(variant, levels=levels, convolutions=given.convolutions)
    train = fine_tuning(parent, spec, variant)
    return bench.train(train, None, taught=spec.distil_weight, teachers=spec.teachers)


RECIPE: Recipe = Recipe(name=NAME, summary="trains a narrower student that the network teaches", apply=apply)
