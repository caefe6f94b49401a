"""Folds of untrained weights on a tiny data set, which draw something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import CheckpointHeader, write_checkpoint
from edgeseg.data.cache import cached, folder_key
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.specs import ImageSpec, VariantSpec
from edgeseg.variants import build_model

VARIANT = VariantSpec(name="alphax", alpha=0.0625, stem="half")
IMAGE = ImageSpec(height=64, width=64)


@pytest.fixture
def write_folds(tiny_lgg: Path, tmp_path: Path, fold_header: Callable[..., CheckpointHeader]) -> Callable[[int], Path]:
    """Give a function that writes so many folds, each of which held out as many of the six patients."""

    def write(count: int) -> Path:
        import keras

        keras.utils.set_random_seed(0)
        weights = build_model(VARIANT, IMAGE).weights
        weights[-1].assign([2.0])  # so that something is drawn
        arrays = {weight.path: np.asarray(weight) for weight in weights}
        cache = cached(KaggleLgg(tiny_lgg), folder_key(tiny_lgg), root=tmp_path / "cache")
        each = len(cache.patients) // count
        for number in range(count):
            held_out = cache.patients[each * number : each * number + each]
            header = fold_header(cache, held_out, VARIANT, IMAGE)
            write_checkpoint(tmp_path / "folds" / f"fold{number}" / "weights.safetensors", header, arrays)
        return tmp_path / "folds"

    return write
