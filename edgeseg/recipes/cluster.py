"""Weight clustering: each convolution's weights share a few values, which move while the network is fine-tuned.

Source: Han, Mao and Dally, "Deep Compression", ICLR 2016. Saves bytes where the file is compressed in transit or in the
store; the raw file and the latency stay as they are. Zeros that pruning made stay zeros.
"""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.recipes.recipe import Outcome, Recipe, Workbench, fine_tuning, refuse_shared
from edgeseg.specs import Cluster

NAME = "cluster"


def apply(parent: Checkpoint, spec: Cluster, bench: Workbench) -> Outcome:
    """Cluster and fine-tune, in a worker process.

    Raises:
        OptionError: for a family whose convolutions are shared over time.
    """
    refuse_shared(parent, NAME)
    return bench.work(NAME, spec, fine_tuning(parent, spec), parent)


RECIPE: Recipe = Recipe(name=NAME, summary="lets weights share a few values: the compressed file shrinks", apply=apply)
