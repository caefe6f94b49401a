"""A small network that was trained for a few seconds on drawn blobs, and every target's file of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeseg.backend import load_keras
from edgeseg.specs import Contract, ImageSpec, VariantSpec
from edgeseg.targets import TARGETS, ConvertJob
from edgeseg.targets.ranges import measure
from edgeseg.variants import blocks, build_model

SIDE_PX = 64
AUTHOR = "Somebody, Somewhere"
SPEC, DEPTH = VariantSpec(name="alphax", alpha=0.125, stem="half"), 2


def blobs(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Smooth textured discs with a brighter blob in each: `(N, 64, 64, 3) uint8` and `(N, 64, 64) bool`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    images = np.zeros((count, SIDE_PX, SIDE_PX, 3))
    masks = np.zeros((count, SIDE_PX, SIDE_PX), bool)
    for image, mask in zip(images, masks, strict=True):
        centre, radius = rng.uniform(16, 48, 2), rng.uniform(5, 14)
        distance = np.hypot(y - centre[0], x - centre[1])
        texture = np.sin(x / rng.uniform(4, 9)) * np.cos(y / rng.uniform(4, 9))
        disc = (np.hypot(y - 32, x - 32) < 29) * (0.35 + 0.08 * texture)
        blob = 1 / (1 + np.exp(distance - radius))
        image += disc[..., np.newaxis] + blob[..., np.newaxis] * [0.0, 0.45, 0.25] + rng.normal(0, 0.02, image.shape)
        mask |= distance < radius
    return (np.clip(images, 0, 1) * 255).astype(np.uint8), masks


def contract(**changes: Any) -> Contract:
    fields: dict[str, Any] = {
        "variant": SPEC,
        "tier": "custom",
        "target": "to be set",
        "layout": "NHWC",
        "height": SIDE_PX,
        "width": SIDE_PX,
        "trained_on": "drawn blobs",
        "seen_patients": ("0123abcd", "89abcdef"),
    }
    return Contract(**(fields | changes))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    model: Any
    job: ConvertJob
    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]


def small_network() -> Any:
    """A U with two poolings in place of four: a level inside another, and half as many layers to convert."""
    keras = load_keras()
    with patch.object(blocks, "DEPTH", DEPTH):
        model = build_model(SPEC, ImageSpec(height=SIDE_PX, width=SIDE_PX))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.8
    return model


@pytest.fixture
def make_network() -> Callable[[], Any]:
    return small_network


@pytest.fixture(scope="session")
def trained() -> Trained:
    keras = load_keras()
    keras.utils.set_random_seed(0)
    model = small_network()
    images, masks = blobs(64, seed=1)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss, jit_compile=False)
    inputs = images.astype(np.float32) / 255
    model.fit(inputs, masks[..., np.newaxis].astype(np.float32), batch_size=8, epochs=15, shuffle=False, verbose=0)
    calibration = blobs(12, seed=2)[0].astype(np.float32) / np.float32(255)
    unseen, truth = blobs(16, seed=3)
    ranges = measure(model, calibration)
    job = ConvertJob(model=model, contract=contract(licence="CC0-1.0"), ranges=ranges, author=AUTHOR)
    return Trained(model=model, job=job, images=unseen, masks=truth)


@pytest.fixture(scope="session")
def artifact(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give a function that converts the trained network to a target, once per session."""
    folder = tmp_path_factory.mktemp("artifacts")

    def path_of(name: str) -> Path:
        target = TARGETS[name]
        path = folder / f"{name}{target.suffix}"
        if not path.exists():
            target.convert(trained.job, path)
        return path

    return path_of


def recurrent_model(width: int = 4) -> Any:
    """Two levels of what converters trip over: one convolution used three times, sums, nearest up-sampling."""
    keras = load_keras()
    layers = keras.layers
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(width, 1, name="project")(image)
    conv = layers.Conv2D(width, 3, padding="same", use_bias=False, name="shared")
    y = layers.ReLU()(layers.BatchNormalization(name="bn0")(conv(x)))
    for step in (1, 2):
        y = layers.ReLU()(layers.BatchNormalization(name=f"bn{step}")(conv(layers.Add()([x, y]))))
    down = layers.MaxPooling2D(2)(layers.Add()([x, y]))
    up = layers.UpSampling2D(2)(layers.Conv2D(4, 3, padding="same", activation="relu", name="deep")(down))
    joined = layers.Concatenate()([x, up])
    model = keras.Model(image, layers.Conv2D(1, 1, name="head")(joined))
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            scale, offset, mean = rng.uniform(0.5, 1.5, width), rng.normal(0, 0.2, width), rng.normal(0, 0.2, width)
            layer.set_weights([scale, offset, mean, np.ones(width)])
    return model


@pytest.fixture(scope="session")
def recurrent() -> ConvertJob:
    slices = np.random.default_rng(5).random((8, 16, 16, 3), dtype=np.float32)
    model = recurrent_model()
    return ConvertJob(model=model, contract=contract(height=16, width=16), ranges=measure(model, slices))


@pytest.fixture
def make_contract() -> Callable[..., Contract]:
    return contract
