"""Somebody's network in tf_keras: every layer that may be trained there gives what it gives in Keras 3."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from edgeseg.errors import TrainingError
from edgeseg.recipes.wrapped import TRAINED, unwrapped
from edgeseg.workers.tf_network import check_same, tf_network
from tests.foreign._keras_networks import draw


def _every_layer() -> Any:
    layers = keras.layers
    image = keras.Input((16, 16, 3), name="image")
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(image)
    x = layers.LeakyReLU(0.1)(layers.BatchNormalization()(layers.Conv2D(4, 2)(x)))
    x = layers.ELU(0.5)(layers.DepthwiseConv2D(3, padding="same", activation="relu6")(x))
    x = layers.PReLU(shared_axes=[1, 2])(layers.SeparableConv2D(4, 3, padding="same", activation="tanh")(x))
    a, b = layers.GroupNormalization(2)(x), layers.LayerNormalization()(x)
    pairs = [kind()([a, b]) for kind in (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Subtract)]
    x = layers.Concatenate()([layers.Multiply()([a, b]), *pairs])
    x = layers.ReLU(max_value=6.0, name="six")(layers.MaxPooling2D()(x))
    gate = layers.Dense(24, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(x))
    most = layers.Reshape((1, 1, 24))(layers.Flatten()(layers.GlobalMaxPooling2D()(x)))
    x = layers.Add()([layers.Multiply()([x, gate]), layers.Permute((1, 2, 3))(most)])
    x = layers.Activation("relu", name="last")(
        layers.Softmax()(layers.AveragePooling2D(2, strides=1, padding="same")(x))
    )
    x = layers.Cropping2D(1)(layers.UpSampling2D(interpolation="bilinear")(layers.Conv2DTranspose(4, 3, strides=1)(x)))
    x = layers.Conv2D(1, 3, name="mask")(x)
    model = keras.Model(image, x)
    draw(model)
    return model


def test_every_layer_gives_what_it_gives_in_keras_3() -> None:
    model = _every_layer()
    assert {type(layer).__name__ for layer in model.layers} == TRAINED
    assert not unwrapped(model, quantized=False)
    images = np.random.default_rng(0).random((2, 16, 16, 3)).astype(np.float32)
    probe = {"images": images, "logits": np.asarray(model(images))}
    arrays = {weight.path: np.asarray(weight) for weight in model.weights}
    written = tf_network(model.to_json(), arrays)
    check_same(written, probe)
    assert type(written.get_layer("last")).__name__ == "ReLU"
    with pytest.raises(TrainingError, match="its logits are off by 1, so it cannot be trained there; take"):
        check_same(written, probe | {"logits": probe["logits"] + 1})


def test_a_layer_that_tf_keras_does_not_have_is_named() -> None:
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.RMSNormalization(name="rms")(image))
    with pytest.raises(TrainingError, match="layer 'rms' is a RMSNormalization"):
        tf_network(model.to_json(), {weight.path: np.asarray(weight) for weight in model.weights})
