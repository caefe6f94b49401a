"""Small Keras U-Nets as other people write them, made by plain Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIDE = 32


def unet(
    keras: Any, *, head: str | None = "sigmoid", channels: int = 1, up: str = "transpose", side: Any = SIDE
) -> Any:
    """A U-Net of two levels with batch normalisation, dropout and drawn weights."""
    layers = keras.layers
    image = layers.Input((side, side, 3), name="slices")

    def block(x: Any, width: int) -> Any:
        x = layers.BatchNormalization()(layers.Conv2D(width, 3, padding="same", use_bias=False)(x))
        return layers.Activation("relu")(x)

    skip = block(image, 4)
    x = layers.Dropout(0.2)(block(layers.MaxPooling2D()(skip), 8))
    x = layers.Conv2DTranspose(4, 2, strides=2)(x) if up == "transpose" else layers.UpSampling2D()(x)
    x = block(layers.Concatenate()([x, skip]), 4)
    model = keras.Model(image, layers.Conv2D(channels, 1, activation=head, name="mask")(x))
    draw(model)
    return model


def draw(model: Any) -> None:
    """Give a network weights of which none is as Keras makes it."""
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.05, 0.6, w.shape) * rng.choice([-1, 1], w.shape) if w.ndim > 1
                       else rng.uniform(0.3, 1.0, w.shape) for w in model.get_weights()])  # fmt: skip


def images(count: int = 2, side: int = SIDE) -> Any:
    """Noise in [0, 1], `(count, side, side, 3) float32`."""
    return np.random.default_rng(5).random((count, side, side, 3)).astype(np.float32)


def values(model: Any, given: Any, output: int | None = None) -> Any:
    """What a network, or one output of it, gives, as an array."""
    found = model(given)
    return (found if output is None else found[output]).numpy()


def saved(model: Any, path: Path, save: str = "save") -> Path:
    """Save a network without what Keras has to say on formats."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(model, save)(path)
    return path
