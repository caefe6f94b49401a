"""Train a network and build it: python examples/train_and_build.py DATA OUT.

A training this short (2 epochs of 5 steps) only shows the way; leave `epochs` and `steps_per_epoch` out for a real one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import edgeseg
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.open import open_dataset
from edgeseg.data.split import make_folds
from edgeseg.results import BuildResult
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.train import train


def main(data: Path, out: Path) -> BuildResult:
    """Train on all folds but the first, and build an int8 file that is scored on the first."""
    dataset = open_dataset(data)
    split = make_folds(dataset, folds=2)
    slices = cached(dataset, folder_key(data))
    spec = TrainSpec(
        variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"),
        epochs=2,
        steps_per_epoch=5,
        crop_px=64,
        batch_size=4,
    )
    train(slices, spec, out=out / "run", train_patients=split.training(0), validation_patients=split.folds[0])
    built = edgeseg.build(out / "run", target="tflite-int8", out=out / "build", data=data, bench_runs=20, r2=False)
    for row in built.artifacts:
        print(f"{row.target}: {row.size_bytes / 1e3:.0f} kB, {row.status}")
    return built


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
