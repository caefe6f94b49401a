"""Channels are scaled to one range, and the network computes what it did."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeseg.backend import load_keras
from edgeseg.errors import OptionError
from edgeseg.recipes.equalize import apply
from edgeseg.specs import Equalize

SIDE = 8
IMAGES = np.random.default_rng(0).random((2, SIDE, SIDE, 3), np.float32)


class _Bench:
    """Lends a network, and the same batch again and again."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def network(self, _parent: Any) -> Any:
        return self._model

    def batches(self, _parent: Any, _train: Any, count: int) -> Iterator[tuple[Any, Any]]:
        return ((IMAGES, IMAGES) for _ in range(count))

    def learned(self) -> tuple[Any, ...]:
        return ()


def _equalized(model: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    arrays = {weight.path: np.asarray(weight) for weight in model.weights}
    variant = SimpleNamespace(slug="mine")
    parent: Any = SimpleNamespace(header=SimpleNamespace(train=None, variant=variant, foreign=None), arrays=arrays)
    bench: Any = _Bench(model)
    return arrays, apply(parent, Equalize(batches=1), bench).arrays


def _u_net(*, normalised: bool = False) -> Any:
    """A U of one level with a skip, whose channels differ tenfold."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    layers = keras.layers
    image = keras.Input((SIDE, SIDE, 3))
    top = layers.Conv2D(4, 3, padding="same", name="top")(image)
    top = layers.ReLU()(layers.BatchNormalization()(top) if normalised else top)
    down = layers.Conv2D(6, 3, padding="same", activation="relu", name="down")(layers.MaxPooling2D()(top))
    up = layers.Conv2DTranspose(4, 2, strides=2, name="up")(down)
    joined = layers.Conv2D(4, 3, padding="same", activation="relu", name="join")(layers.Concatenate()([top, up]))
    model = keras.Model(image, layers.Conv2D(1, 1, name="head")(joined))
    for name in ("top", "down", "up", "join"):
        kernel, bias = model.get_layer(name).get_weights()
        factors = np.geomspace(1.0, 10.0, len(bias))
        model.get_layer(name).set_weights([kernel * (factors[:, None] if name == "up" else factors), bias + 0.1])
    return model


def _loudest(model: Any, name: str) -> Any:
    probe = load_keras().Model(model.inputs[0], model.get_layer(name).output)
    return np.abs(np.asarray(probe(IMAGES))).max(axis=(0, 1, 2))


def test_the_network_computes_what_it_did_and_its_channels_are_alike() -> None:
    model = _u_net()
    wanted = np.asarray(model(IMAGES))
    spread = {name: np.ptp(np.log(_loudest(model, name))) for name in ("down", "up", "join")}
    before, after = _equalized(model)
    model.set_weights([after[weight.path] for weight in model.weights])
    np.testing.assert_allclose(np.asarray(model(IMAGES)), wanted, rtol=1e-4)
    for name, was in spread.items():
        assert was > 1.0
        assert _loudest(model, name).max() == pytest.approx(1.0, rel=1e-3)
        assert np.ptp(np.log(_loudest(model, name))) < was
    assert not np.allclose(before["head/kernel"], after["head/kernel"])


def test_behind_batch_normalisation_channels_stay_as_they_are() -> None:
    model = _u_net(normalised=True)
    wanted = np.asarray(model(IMAGES))
    before, after = _equalized(model)
    model.set_weights([after[weight.path] for weight in model.weights])
    np.testing.assert_allclose(np.asarray(model(IMAGES)), wanted, rtol=1e-4)
    assert np.array_equal(before["top/kernel"], after["top/kernel"])
    assert not np.array_equal(before["down/kernel"], after["down/kernel"])


def test_a_network_without_a_channel_to_scale_is_refused() -> None:
    keras = load_keras()
    image = keras.Input((SIDE, SIDE, 3))
    inside = keras.layers.Conv2D(4, 3, padding="same", activation="tanh")(image)
    with pytest.raises(OptionError, match="'equalize' finds no channel that can be scaled in mine"):
        _equalized(keras.Model(image, keras.layers.Conv2D(1, 1)(inside)))
