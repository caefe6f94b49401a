"""Magnitude pruning: the smallest weights of each convolution become zeros while the network is fine-tuned.

Source: Zhu and Gupta, "To Prune, or Not to Prune", arXiv 1710.01878. Saves bytes where the file is compressed in
transit or in the store: zeros are stored densely, so the raw file and the latency stay as they are.
"""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench, fine_tuning, refuse_shared
from edgeseg.specs import Prune

NAME = "prune"


def apply(parent: Checkpoint, spec: Prune, bench: Workbench) -> Outcome:
    """Prune and fine-tune, in a worker process.

    Raises:
        OptionError: for a family whose convolutions are shared over time.
    """
    refuse_shared(parent, NAME)
    return bench.work(NAME, spec, fine_tuning(parent, spec), parent)


RECIPE: Recipe = Recipe(name=NAME, summary="zeroes the smallest weights: the compressed file shrinks", apply=apply)
