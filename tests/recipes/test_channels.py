"""Which channels leave together in any network, found from its graph, and that the smaller network is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.recipes.cut import Anatomy, anatomy, cut_network, cut_weights
from edgeseg.variants import census
from tests.recipes._dead import with_dead_channels

SIDE = 8


def conv(x: Any, width: int, **options: Any) -> Any:
    return keras.layers.Conv2D(width, 3, padding="same", **options)(x)


def concatenated(x: Any) -> Any:
    """A dense block: every value joins what came before it."""
    for _ in range(2):
        x = keras.layers.Concatenate()([x, keras.layers.ReLU()(conv(x, 4))])
    return x


def summed(x: Any) -> Any:
    """Two residual blocks over one width, the second one's sum through an operation."""
    x = conv(x, 6)
    x = keras.layers.Add()([x, conv(keras.layers.ReLU()(x), 6)])
    return x + conv(keras.layers.ReLU()(x), 6)


def summed_with_joined(x: Any) -> Any:
    """A sum whose one side is two values joined: its channels belong to two groups."""
    return keras.layers.Add()([keras.layers.Concatenate()([conv(x, 2), conv(x, 4)]), conv(x, 6)])


def excited(x: Any) -> Any:
    """Squeeze and excitation, its gate a ReLU, so that all its numbers are whole."""
    x = conv(x, 6, activation="relu")
    gate = keras.layers.GlobalAveragePooling2D()(x)
    gate = keras.layers.Dense(4, activation="relu")(keras.layers.Reshape((1, 1, 6))(gate))
    return keras.layers.Multiply()([x, keras.layers.Dense(6, activation="relu")(gate)])


def depthwise(x: Any) -> Any:
    x = keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(conv(x, 4))
    return conv(keras.layers.ReLU()(x), 4)


def separable(x: Any) -> Any:
    return keras.layers.SeparableConv2D(6, 3, padding="same", depth_multiplier=2, activation="relu")(conv(x, 4))


def transposed(x: Any) -> Any:
    skip = conv(x, 4)
    x = keras.layers.MaxPooling2D()(keras.layers.ReLU()(skip))
    x = keras.layers.Conv2DTranspose(4, 3, strides=2, padding="same")(conv(x, 6))
    return conv(keras.layers.Concatenate()([x, skip, keras.layers.UpSampling2D()(keras.layers.MaxPooling2D()(x))]), 4)


def normalised(x: Any) -> Any:
    return keras.layers.ReLU()(keras.layers.BatchNormalization(epsilon=0.0)(conv(x, 6, use_bias=False)))


def shared(x: Any) -> Any:
    """One convolution applied twice, so that what it takes and gives is of one group."""
    same = keras.layers.Conv2D(4, 3, padding="same")
    return same(keras.layers.ReLU()(same(conv(x, 4))))


def gated(x: Any) -> Any:
    """An attention gate: one map multiplies all channels."""
    x = conv(x, 6)
    return keras.layers.Multiply()([x, conv(keras.layers.ReLU()(conv(x, 4)), 1, activation="relu")])


def instance(x: Any) -> Any:
    x = keras.layers.GroupNormalization(groups=-1)(conv(x, 6))
    return conv(keras.layers.LeakyReLU()(x), 4, activation="silu")


def own_slope(x: Any) -> Any:
    return conv(keras.layers.PReLU(shared_axes=[1, 2])(keras.layers.PReLU()(conv(x, 6))), 4)


EXACT = (concatenated, summed, summed_with_joined, excited, depthwise, separable, transposed, normalised, shared, gated)
ROUNDED = (instance, own_slope)


def network(body: Callable[[Any], Any]) -> Any:
    image = keras.Input((SIDE, SIDE, 3))
    return keras.Model(image, keras.layers.Conv2D(1, 1, name="head")(body(image)))


def halved(model: Any) -> tuple[Anatomy, Any, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A network with every second channel of each group dead, and the same without them."""
    found = anatomy(model)
    arrays = with_dead_channels(model, found, np.random.default_rng(0), whole=True)
    model.set_weights(list(arrays.values()))
    kept = {slot: np.arange(0, len(units), 2) for slot, units in found.slots.items()}
    smaller = cut_network(model, found, kept)
    smaller.set_weights(list(cut_weights(model, found, arrays, kept).values()))
    return found, smaller, arrays, kept


@pytest.mark.parametrize("body", [*EXACT, *ROUNDED], ids=lambda body: body.__name__)
def test_the_network_without_its_dead_channels_gives_the_same(body: Callable[[Any], Any]) -> None:
    model = network(body)
    found, smaller, _, kept = halved(model)
    images = np.random.default_rng(1).integers(0, 3, (2, SIDE, SIDE, 3)).astype(np.float32)
    wanted, given = (np.asarray(m(images, training=False)) for m in (model, smaller))
    assert np.ptp(wanted) > 0
    if body in EXACT:  # of whole numbers, whose sums are exact in any order
        np.testing.assert_array_equal(given, wanted)
    else:
        np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-5 * np.ptp(wanted))
    assert found.flow.reasons == {}
    assert found.macs(found.widths) == census(model).macs
    widths = found.widths | {slot: len(indices) for slot, indices in kept.items()}
    assert found.macs(widths) == census(smaller).macs < census(model).macs


def test_what_is_joined_side_by_side_leaves_apart_and_what_is_added_leaves_together() -> None:
    assert sorted(map(len, anatomy(network(summed_with_joined)).slots.values())) == [2, 4]
    assert list(map(len, anatomy(network(summed)).slots.values())) == [6]
    assert sorted(map(len, anatomy(network(concatenated)).slots.values())) == [4, 4]


def grouped(x: Any) -> Any:
    return conv(conv(conv(x, 4), 4, groups=2, name="grouped"), 6)


def softened(x: Any) -> Any:
    return keras.layers.Softmax(name="soft")(conv(conv(x, 6), 4))


def over_channels(x: Any) -> Any:
    return conv(keras.layers.LayerNormalization(name="norm")(conv(conv(x, 6), 4)), 6)


def group_normalised(x: Any) -> Any:
    return conv(keras.layers.GroupNormalization(groups=2, name="groups")(conv(conv(x, 6), 4)), 6)


@pytest.mark.parametrize(
    ("body", "layer", "why"),
    [
        (grouped, "grouped", "a convolution in 2 groups"),
        (softened, "soft", "a Softmax, which may mix channels"),
        (over_channels, "norm", "a LayerNormalization, which may mix channels"),
        (group_normalised, "groups", "normalises over several channels"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_mixes_channels_keeps_them_and_says_so(body: Callable[[Any], Any], layer: str, why: str) -> None:
    model = network(body)
    found, smaller, _, _ = halved(model)
    assert found.flow.reasons == {layer: why}
    assert set(map(len, found.slots.values())) == {6}
    images = np.random.default_rng(1).integers(0, 3, (2, SIDE, SIDE, 3)).astype(np.float32)
    wanted, given = (np.asarray(m(images, training=False)) for m in (model, smaller))
    np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-5 * max(np.ptp(wanted), 1.0))


def test_the_ends_keep_their_channels() -> None:
    model = network(normalised)
    assert list(anatomy(model).slots) == [model.layers[1].name]
    assert anatomy(network(lambda x: x)).slots == {}
