"""`benchmarks/teachers/neighbours.py`: neighbours are the patient's, and nothing else differs between its arms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.sampler import Sampler
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.folds.logits import FoldRun

ROOT = Path(__file__).parents[1]
SPEC = TrainSpec(variant=VariantSpec(), batch_size=4, crop_px=32, augment="scanner", missing_share=0.5)


@pytest.fixture(scope="module")
def neighbours(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(ROOT / "benchmarks" / "teachers" / "neighbours.py")


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


def test_neighbours_are_of_the_same_patient(neighbours: ModuleType, cache: SliceCache) -> None:
    beside = neighbours.neighbours_of(cache)
    first, second = (cache.rows(patient) for patient in cache.patients[:2])
    rows = np.asarray([first.start, first.start + 1, first.stop - 1, second.start])
    assert beside(rows, 1).tolist() == [first.start + 1, first.start + 2, first.stop - 1, second.start + 1]
    assert beside(rows, -1).tolist() == [first.start, first.start, first.stop - 2, second.start]
    images = neighbours.stacked(cache.images, beside, rows, (0, -1, 1))
    assert images.shape == (4, 64, 64, 9)
    assert (images[2, ..., 3:6] == cache.images[first.stop - 2]).all()


def test_both_arms_see_the_same_crops(neighbours: ModuleType, cache: SliceCache) -> None:
    sampler = Sampler.of(cache, cache.patients, SPEC)
    beside = neighbours.neighbours_of(cache)
    plain, masks = sampler.batch(2, 1)
    alone, same = neighbours.batch(sampler, beside, (0,), 2, 1)
    assert (alone == plain).all()
    assert (same == masks).all()
    wide, same = neighbours.batch(sampler, beside, (0, -1, 1), 2, 1)
    assert (wide[..., :3] == plain).all()
    assert (same == masks).all()
    assert (wide[..., 3:6] != plain).any()


def test_more_channels_begin_without_effect(neighbours: ModuleType, cache: SliceCache, tiny_checkpoint: Path) -> None:
    keras = load_keras("tensorflow")
    run = FoldRun(folder=tiny_checkpoint.parent, checkpoint=read_checkpoint(tiny_checkpoint), sha256="0")
    alone: Any = neighbours._network(keras, run, (0,), 64, 64)
    beside: Any = neighbours._network(keras, run, (0, -1, 1), 64, 64)
    images = neighbours.stacked(cache.images, neighbours.neighbours_of(cache), np.arange(4), (0, -1, 1))
    scaled = images.astype(np.float32) / np.float32(255.0)
    assert np.abs(np.asarray(alone(scaled[..., :3])) - np.asarray(beside(scaled))).max() < 1e-4
