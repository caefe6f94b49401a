"""What the first and last steps of a network tell of its numbers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.foreign.bounds import gives_probabilities, takes_bytes
from edgeseg.targets.plain import plain_layer

_SIDE = 8


def _image() -> Any:
    return keras.Input((_SIDE, _SIDE, 3))


def _mask(x: Any, activation: str | None = None) -> Any:
    return keras.layers.Conv2D(1, 1, activation=activation)(x)


@pytest.mark.parametrize(
    ("first", "raw"),
    [
        (keras.layers.Rescaling(1 / 127.5, offset=-1), True),
        (lambda x: x / 127.5 - 1.0, True),
        (lambda x: (x - 120.0) / 58.0, True),
        (keras.layers.Normalization(mean=[110.0] * 3, variance=[50.0**2] * 3), True),
        (keras.layers.Normalization(mean=[0.4] * 3, variance=[0.04] * 3), False),
        (lambda x: x * 2.0 - 1.0, False),
        (keras.layers.ReLU(), False),
    ],
)
def test_a_network_that_scales_bytes_down_itself_is_known(first: Any, raw: bool) -> None:
    image = _image()
    assert takes_bytes(image, [_mask(first(image))]) is raw


def test_an_image_that_is_used_in_other_ways_too_is_not_one_of_bytes() -> None:
    image = _image()
    both = keras.layers.Concatenate()([image, image / 255.0])
    assert not takes_bytes(image, [_mask(both)])


def test_values_that_are_made_from_a_sigmoid_are_probabilities() -> None:
    image = _image()
    resized = keras.layers.UpSampling2D(interpolation="bilinear")(_mask(image, "sigmoid"))
    clipped = plain_layer("clipped", "clip", low=1e-6, high=1 - 1e-6)(_mask(image))
    assert gives_probabilities(resized)
    assert gives_probabilities(clipped)
    assert not gives_probabilities(keras.layers.UpSampling2D()(_mask(image)))
    assert not gives_probabilities(plain_layer("wide", "clip", low=-1.0, high=1.0)(_mask(image)))


def test_means_products_and_shifted_tanh_of_bounded_values_are_probabilities_and_their_sums_are_not() -> None:
    image = _image()
    first, second = (_mask(image, "sigmoid") for _ in range(2))
    stored = plain_layer("half", "with constant", np.array([0.5], np.float32), kind="multiply")
    two = plain_layer("ratio", "of two", kind="multiply")
    assert gives_probabilities((first + second) / 2.0)
    assert gives_probabilities(stored(keras.layers.Add()([first, second])))
    assert gives_probabilities(keras.layers.Average()([first, second]))
    assert gives_probabilities(two(first, second))
    assert gives_probabilities(1.0 - first)
    assert gives_probabilities(plain_layer("moved", "scale", by=0.5, plus=0.5)(_mask(image, "tanh")))
    assert not gives_probabilities(first + second)
    assert not gives_probabilities(_mask(image, "tanh"))
    assert not gives_probabilities(keras.layers.Multiply()([first, _mask(image)]))
    assert not gives_probabilities(_mask(image, "relu"))
