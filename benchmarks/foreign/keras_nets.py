"""Train plain Keras networks as others have them, and save them as Keras does.

    python benchmarks/foreign/keras_nets.py --data DIR --out DIR

- `study`: the full U-Net of the study at 256 x 256 with the state of Adam in the file, 372 MB of HDF5. On two cores a
  step takes many seconds: it is trained for the size of its file, not for what it finds.
- `mobile`: an encoder of MobileNetV2 with a decoder, its sigmoid in the last convolution, `.keras`.
- `nested`: encoder and decoder are models inside a model, `.keras`.
- `attention`: a U-Net with attention gates, batch normalisation and SiLU, HDF5.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import keras
from keras import layers as k

Tensor = Any


STUDY_SIDE, STUDY_PATIENTS, STUDY_BATCH = 256, 6, 2


def _norm() -> keras.Layer:
    return k.BatchNormalization(momentum=1 - common.MOMENTUM)


def _block(x: Tensor, width: int, activation: str = "relu") -> Tensor:
    for _ in range(2):
        x = k.Conv2D(width, 3, padding="same", use_bias=False)(x)
        x = k.Activation(activation)(_norm()(x))
    return x


def study() -> keras.Model:
    """64 to 1024 channels, as in the paper on U-Net."""
    image = x = keras.Input((STUDY_SIDE, STUDY_SIDE, 3))
    kept = []
    for width in (64, 128, 256, 512):
        for _ in range(2):
            x = k.Conv2D(width, 3, padding="same", activation="relu")(x)
        kept.append(x)
        x = k.MaxPooling2D(2)(x)
    for _ in range(2):
        x = k.Conv2D(1024, 3, padding="same", activation="relu")(x)
    for width in (512, 256, 128, 64):
        x = k.Concatenate()([k.Conv2DTranspose(width, 2, strides=2, padding="same")(x), kept.pop()])
        for _ in range(2):
            x = k.Conv2D(width, 3, padding="same", activation="relu")(x)
    return keras.Model(image, k.Conv2D(1, 1, activation="sigmoid")(x))


def mobile() -> keras.Model:
    """MobileNetV2 of width 0.35, and a light decoder."""
    shape = (common.SIDE, common.SIDE, 3)
    encoder = keras.applications.MobileNetV2(shape, alpha=0.35, include_top=False, weights=None)
    for layer in encoder.layers:
        if isinstance(layer, k.BatchNormalization):
            layer.momentum = 1 - common.MOMENTUM
    names = ("block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_13_expand_relu")
    kept = [encoder.get_layer(name).output for name in names]
    x = encoder.output
    for width, skip in zip((48, 32, 24, 16), reversed(kept), strict=True):
        x = k.Concatenate()([k.UpSampling2D(2, interpolation="bilinear")(x), skip])
        x = k.ReLU(max_value=6.0)(_norm()(k.SeparableConv2D(width, 3, padding="same")(x)))
    x = k.UpSampling2D(2)(x)
    return keras.Model(encoder.input, k.Conv2D(1, 3, padding="same", activation="sigmoid")(x))


def nested() -> keras.Model:
    """An encoder and a decoder, each a model, called by a third."""
    image = keras.Input((common.SIDE, common.SIDE, 3))
    one = _block(image, 12)
    two = _block(k.MaxPooling2D(2)(one), 24)
    three = _block(k.MaxPooling2D(2)(two), 48)
    encoder = keras.Model(image, [one, two, three], name="encoder")
    ends = [keras.Input(part.shape[1:]) for part in (one, two, three)]
    x = _block(k.Concatenate()([k.Conv2DTranspose(24, 2, strides=2)(ends[2]), ends[1]]), 24)
    x = _block(k.Concatenate()([k.Conv2DTranspose(12, 2, strides=2)(x), ends[0]]), 12)
    decoder = keras.Model(ends, k.Dropout(0.2)(x), name="decoder")
    whole = keras.Input((common.SIDE, common.SIDE, 3))
    x = k.Conv2D(1, 1)(decoder(encoder(k.Rescaling(1.0)(whole))))
    return keras.Model(whole, k.Activation("sigmoid")(x))


def attention() -> keras.Model:
    """A gate on every connection between encoder and decoder."""
    image = x = keras.Input((common.SIDE, common.SIDE, 3))
    kept = []
    for width in (8, 16, 32):
        x = _block(x, width, "silu")
        kept.append(x)
        x = k.MaxPooling2D(2)(x)
    x = _block(x, 64, "silu")
    for width in (32, 16, 8):
        x = k.Conv2DTranspose(width, 3, strides=2, padding="same")(x)
        skip = kept.pop()
        gate = k.Activation("relu")(k.Add()([k.Conv2D(width, 1)(x), k.Conv2D(width, 1)(skip)]))
        gate = k.Conv2D(1, 1, activation="sigmoid")(gate)
        x = _block(k.Concatenate()([x, k.Multiply()([skip, gate])]), width, "silu")
    return keras.Model(image, k.Conv2D(1, 1, activation="sigmoid")(x))


NETWORKS: dict[str, tuple[Callable[[], keras.Model], str]] = {
    "study": (study, ".hdf5"),
    "mobile": (mobile, ".keras"),
    "nested": (nested, ".keras"),
    "attention": (attention, ".h5"),
}


def loss(wanted: Tensor, found: Tensor) -> Tensor:
    """Cross-entropy and soft Dice of probabilities."""
    ops = keras.ops
    dice = 1 - (2 * ops.sum(found * wanted) + 1) / (ops.sum(found) + ops.sum(wanted) + 1)
    return ops.mean(keras.losses.binary_crossentropy(wanted, found)) + dice


def train(name: str, slices: common.Slices, given: argparse.Namespace) -> keras.Model:
    """Train a network for some seconds."""
    keras.utils.set_random_seed(0)
    model = NETWORKS[name][0]()
    rate = 2e-4 if name == "study" else 3e-3
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss)
    size = STUDY_BATCH if name == "study" else common.BATCH
    images, masks = common.unit(slices), slices.masks.astype("float32")[..., None]
    steps = 0
    for places, gone in common.batches(slices, given.seconds, size=size):
        model.optimizer.learning_rate = rate * max(1 - gone, 0.01) ** 0.9
        error = float(model.train_on_batch(*common.flipped(places, images, masks)))
        steps += 1
        if steps % 100 == 0:
            print(f"{name}: {steps} steps, mean loss so far {error:.3f}", flush=True)
    common.note(given.out, name, steps=steps, seconds=given.seconds, side=images.shape[1])
    return model


def main() -> None:
    """Train and save the networks that were asked for."""
    given = common.options(__doc__ or "", tuple(NETWORKS))
    folders = common.patients(given.data)[0]
    for name in given.names:
        small = (folders, common.SIDE) if name != "study" else (folders[:STUDY_PATIENTS], STUDY_SIDE)
        path: Path = given.out / f"{name}{NETWORKS[name][1]}"
        train(name, common.read(*small), given).save(path)


if __name__ == "__main__":
    main()
