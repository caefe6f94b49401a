"""A network that sees each slice twice gives the mean of both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.errors import OptionError
from edgeseg.imaging import Tables, in_passes
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract, OperatingPoint

TWICE = Path(__file__).resolve().parents[1] / "golden" / "classes" / "twice.onnx"


class Leftward:
    """What each pixel has on its left, and how often it was asked."""

    def __init__(self, contract: Contract) -> None:
        self.contract, self.asked = contract, 0

    @in_passes
    def logits(self, images: NDArray[np.uint8], tables: Tables | None = None) -> NDArray[np.float32]:
        self.asked += 1
        return np.pad(images[..., 0], ((0, 0), (0, 0), (1, 0)))[:, :, :-1].astype(np.float32)


def test_the_mean_of_what_lies_on_either_side(tiny_contract: Contract) -> None:
    row = np.array([0, 8, 0, 0, 2], np.uint8).reshape(1, 1, 5, 1)
    once, twice = Leftward(tiny_contract), Leftward(replace(tiny_contract, passes=2))
    np.testing.assert_array_equal(once.logits(row)[0, 0], [0, 0, 8, 0, 0])
    np.testing.assert_array_equal(twice.logits(row)[0, 0], [4, 0, 4, 1, 0])
    assert (once.asked, twice.asked) == (1, 2)


def test_a_symmetric_slice_gives_a_symmetric_mask_only_in_two_passes() -> None:
    segmenter = Segmenter.load(TWICE)
    half = np.random.default_rng(0).integers(0, 256, (1, 32, 16, 3), dtype=np.uint8)
    slices = np.concatenate([half, half[:, :, ::-1]], axis=2)
    logits = segmenter.logits(slices)
    np.testing.assert_array_equal(logits, logits[:, :, ::-1])
    segmenter.contract = replace(segmenter.contract, passes=1)
    alone = segmenter.logits(slices)
    assert not np.array_equal(alone, alone[:, :, ::-1])


def test_a_contract_has_one_pass_or_two_and_older_readers_refuse_two(tiny_contract: Contract) -> None:
    assert tiny_contract.versioned().schema_version < 5
    assert replace(tiny_contract, passes=2).versioned().schema_version == 5
    for passes in (0, 3):
        with pytest.raises(OptionError, match=f"passes is {passes}; a network sees a slice once, or twice"):
            replace(tiny_contract, passes=passes)
        with pytest.raises(OptionError, match="choose 1 or 2"):
            OperatingPoint(passes=passes)


def test_a_point_brings_its_passes(tiny_contract: Contract) -> None:
    assert OperatingPoint(passes=2).applied(tiny_contract).passes == 2
    assert OperatingPoint().applied(replace(tiny_contract, passes=2)).passes == 1
