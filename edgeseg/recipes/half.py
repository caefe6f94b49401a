"""Half precision: the weights of convolutions are kept in 16 bits, so the file of weights takes half the room.

Nothing is trained, and nothing is random. What is computed stays float32, from the rounded weights: whatever is built
from them has the scores that are measured here. Files of int8 and float32 targets stay as large as they were; those of
float16 targets hold the very same numbers.
"""

from __future__ import annotations

import numpy as np

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.half import LARGEST, is_short, shortened, widened
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench
from edgeseg.specs import HALF, Half


def apply(parent: Checkpoint, spec: Half, bench: Workbench) -> Outcome:  # noqa: ARG001  (there is nothing to set)
    """Round the weights of each convolution to the nearest number of 16 bits.

    Raises:
        OptionError: when one of them is larger than such numbers can be.
    """
    for name, array in parent.arrays.items():
        if is_short(name) and (most := float(np.abs(array).max(initial=0.0))) > LARGEST:
            raise OptionError(
                f"'{HALF}' cannot be applied: '{name}' holds {most:g}, and numbers of 16 bits end at {LARGEST:g}; "
                "leave it out of the chain"
            )
    header = parent.header
    return Outcome(
        variant=header.variant,
        arrays={name: widened(array) for name, array in shortened(parent.arrays).items()},
        train=header.train,
        history=bench.learned(),
        foreign=header.foreign,
    )


RECIPE: Recipe = Recipe(
    name=HALF, summary="keeps weights in 16 bits: their file takes half the room", apply=apply, keeps_ranges=True
)
