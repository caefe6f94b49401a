"""What each criterion of channel pruning costs before any fine-tuning: Dice of validation patients, by criterion.

python benchmarks/channel_criteria.py RUN --data DIR --macs 0.5 --patients 6
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.quiet import quiet
from edgeseg.recipes.channel_prune import cut
from edgeseg.specs import ChannelPrune
from edgeseg.specs.recipes import CRITERIA
from edgeseg.stages.compress import RecipeBench, validation_dice


def main() -> None:
    """Print one line for the network as it is, and one for each criterion."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--macs", type=float, default=0.5)
    parser.add_argument("--multiple", type=int, default=4)
    parser.add_argument("--batches", type=int, default=16)
    parser.add_argument("--patients", type=int, default=6)
    given = parser.parse_args()
    found = read_checkpoint(given.run)
    patients = found.header.validation_patients[: given.patients]
    parent = replace(found, header=replace(found.header, validation_patients=patients))
    cache = cached(open_dataset(given.data), folder_key(given.data), root=given.cache)
    print(
        f"{parent.header.variant.slug}, {given.macs:g} of its MACs, {len(patients)} validation patients, no fine-tuning"
    )
    with quiet(), tempfile.TemporaryDirectory() as folder:
        bench = RecipeBench(cache=cache, folder=Path(folder), parent=parent, teacher=parent)
        rows = [("as it is", float(np.mean(validation_dice(parent, cache))), ())]
        for criterion in CRITERIA:
            spec = ChannelPrune(macs=given.macs, criterion=criterion, multiple=given.multiple, batches=given.batches)
            made = cut(parent, spec, bench)
            rows.append((criterion, float(np.mean(validation_dice(made, cache))), made.header.variant.widths))
    for name, dice, widths in rows:
        print(f"{name:<12} Dice {dice:.3f}  {' '.join(map(str, widths))}")


if __name__ == "__main__":
    main()
