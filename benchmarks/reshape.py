"""Weights for a network of another shape to start from: those of a shipped one where a layer is the same, drawn else.

A convolution that becomes the last of its block gains a batch normalisation, which begins as what its bias was. Writes
OUT/weights.safetensors, for `edgeseg train --from OUT` with the same --levels and --convolutions on the same fold.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg import networks
from edgeseg.checkpoint import read_checkpoint, write_checkpoint
from edgeseg.cli._variant import variant_of
from edgeseg.variants import build_model
from edgeseg.variants.initial import draw_kernels


def main() -> None:
    """Build the network, take over what fits, write, and say how much that was."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--network", default="light", help="a network of models/")
    parser.add_argument("--levels", help="as of edgeseg train")
    parser.add_argument("--convolutions", help="as of edgeseg train")
    given = parser.parse_args()
    parent = read_checkpoint(networks.get(given.network).weights)
    old = parent.header.variant
    shape = variant_of(old.name, None, alpha=None, stem=old.stem, levels=given.levels, convolutions=given.convolutions)
    spec = shape if given.levels else replace(shape, alpha=old.alpha)
    model = build_model(spec)
    draw_kernels(model, seed=0)
    arrays = {weight.path: np.asarray(weight, np.float32) for weight in model.weights}
    taken = 0
    for name, drawn in arrays.items():
        source = name if name in parent.arrays else name.replace("_bn/beta", "_conv/bias")
        if source in parent.arrays and parent.arrays[source].shape == drawn.shape:
            arrays[name] = np.asarray(parent.arrays[source], np.float32)
            taken += 1
    train = replace(parent.header.train, variant=spec)
    header = replace(parent.header, variant=spec, train=train, parts=(), initial=None)
    write_checkpoint(given.out / "weights.safetensors", header, arrays)
    print(f"{spec.slug}: {taken} of {len(arrays)} arrays are those of {given.network}")


if __name__ == "__main__":
    main()
