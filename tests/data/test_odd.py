"""Every way of making a volume odd gives slices of the same kind, and changes them."""

from __future__ import annotations

import numpy as np
import pytest

from edgeseg.data.odd import Maker, learned
from edgeseg.data.phantom import phantom_volume
from edgeseg.imaging import to_size
from edgeseg.specs import INPUT_SIGNS

MAKERS = [
    pytest.param(make, id=" ".join((kind, *map(str, channels), str(number))))
    for (kind, channels), makers in learned(3).items()
    for number, make in enumerate(makers)
]


@pytest.fixture(scope="module")
def slices() -> tuple[np.ndarray, np.ndarray]:
    volume = phantom_volume(0, seed=0)
    return to_size(volume.images[4:24:4], (48, 64)), np.zeros((5, 48, 64), np.bool_)


@pytest.mark.parametrize("make", MAKERS)
def test_slices_keep_their_size_and_change(make: Maker, slices: tuple[np.ndarray, np.ndarray]) -> None:
    images, masks = slices
    before = images.copy()
    made = make(images, masks, np.random.default_rng(0))
    assert made.shape == images.shape
    assert made.dtype == np.uint8
    assert not np.array_equal(made, images)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 8])
def test_signs_are_those_that_a_contract_may_name(channels: int) -> None:
    made = learned(channels)
    assert {kind for kind, _ in made} <= set(INPUT_SIGNS)
    assert all(max(named, default=0) < channels for _, named in made)
