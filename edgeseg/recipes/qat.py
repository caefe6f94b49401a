"""Quantization-aware training: the network is fine-tuned with the rounding of int8 in place, and learns its ranges.

Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
CVPR 2018. Saves nothing by itself: it gives back accuracy that int8 takes. Weights and activation ranges serve the int8
targets of every format. Zeros that pruning made stay zeros.
"""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench, fine_tuning, refuse_shared
from edgeseg.specs import Qat

NAME = "qat"


def apply(parent: Checkpoint, spec: Qat, bench: Workbench) -> Outcome:
    """Fine-tune under int8 rounding, in a worker process.

    Raises:
        OptionError: for a family whose convolutions are shared over time.
    """
    refuse_shared(parent, NAME)
    return bench.work(NAME, spec, fine_tuning(parent, spec), parent)


RECIPE: Recipe = Recipe(name=NAME, summary="trains under int8 rounding: weights and ranges that suit int8", apply=apply)
