"""A predictor that keeps what it gave."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.stages.predict.remembered import Remembered


class Counting:
    contract: Any = None
    numerics, runtime, threads = "float32", "none", 1

    def __init__(self) -> None:
        self.runs = 0

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.runs += 1
        return images[..., 0].astype(np.float32)


def batch(value: int) -> NDArray[np.uint8]:
    return np.full((2, 4, 4, 3), value, np.uint8)


def test_equal_slices_are_run_once_and_others_anew() -> None:
    inner = Counting()
    kept = Remembered(inner)
    for value in (1, 2, 1, 2):
        assert np.array_equal(kept.logits(batch(value)), np.full((2, 4, 4), value, np.float32))
    assert inner.runs == 2
    assert (kept.numerics, kept.runtime, kept.threads) == ("float32", "none", 1)


def test_no_more_is_kept_than_there_is_room_for() -> None:
    inner = Counting()
    kept = Remembered(inner, most_slices=3)
    for value in (1, 2, 1, 2):
        kept.logits(batch(value))
    assert inner.runs == 3
