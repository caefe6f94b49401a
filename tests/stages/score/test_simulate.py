from __future__ import annotations

import numpy as np
import pytest

from edgeseg.data.volume import Volume
from edgeseg.errors import OptionError
from edgeseg.stages.score.simulate import SIMULATIONS, simulated

PIXEL = (10, 100, 200)


def after(name: str) -> list[int]:
    images = np.full((1, 2, 2, 3), PIXEL, np.uint8)
    volume = Volume(patient="p", institution="", images=images, masks=np.ones((1, 2, 2), np.bool_), slice_names=("s",))
    (changed,) = simulated([volume], name)
    assert images[0, 0, 0].tolist() == list(PIXEL), "the given volume is left alone"
    assert changed.masks is volume.masks
    assert changed.images.dtype == np.uint8
    pixel: list[int] = changed.images[0, 1, 1].tolist()
    return pixel


@pytest.mark.parametrize(
    ("name", "pixel"),
    [
        ("none", [10, 100, 200]),
        ("no-pre", [100, 100, 200]),
        ("no-post", [10, 100, 100]),
        ("flair-only", [100, 100, 100]),
        ("half-brightness", [5, 50, 100]),
        ("double-brightness", [20, 200, 255]),
    ],
)
def test_each_simulation_changes_what_it_says(name: str, pixel: list[int]) -> None:
    assert after(name) == pixel


def test_every_simulation_is_tried_above() -> None:
    assert len(SIMULATIONS) == 6


def test_an_unknown_one_is_refused_with_the_names() -> None:
    with pytest.raises(OptionError, match=r"'dark' is unknown; choose one of: none, no-pre"):
        simulated([], "dark")


@pytest.mark.parametrize("name", ["no-pre", "no-post", "flair-only"])
def test_what_puts_a_sequence_in_anothers_place_is_for_lggs_channels(name: str) -> None:
    images = np.zeros((1, 2, 2, 1), np.uint8)
    volume = Volume(patient="p", institution="", images=images, masks=None, slice_names=("s",), channels=("grey",))
    with pytest.raises(OptionError, match=r"this data has grey, so choose one of: none, half-brightness"):
        list(simulated([volume], name))
    assert len(list(simulated([volume], "half-brightness"))) == 1
