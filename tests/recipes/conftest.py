"""A trained-looking tiny network and the data that it learned from."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def parent(tiny_checkpoint: Path) -> Checkpoint:
    return read_checkpoint(tiny_checkpoint)
