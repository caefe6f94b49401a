"""The network that ships as a student: trained as the base is, or longer, with and without what a teacher says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from lite0 import lite0_unet
from numpy.typing import NDArray
from ways import BATCH, Way

from edgeseg import artifacts
from edgeseg.backend import predict
from edgeseg.data.cache import SliceCache
from edgeseg.data.sampler import Sampler
from edgeseg.errors import CheckpointError
from edgeseg.specs import CHANNELS, ImageSpec, TrainSpec
from edgeseg.variants import build_model
from edgeseg.variants.initial import draw_kernels

WEIGHT = 0.5
"""How much of the target of the cross-entropy the teacher says."""


def student(
    keras: Any, cache: SliceCache, patients: tuple[str, ...], spec: TrainSpec, *, times: int, teacher: Path | None
) -> Way:
    """The base's network, trained `times` as long; `teacher` has weights of the U-Net on EfficientNet-Lite0.

    Raises:
        CheckpointError: when there are no such weights.
    """
    soft, spec = None, replace(spec, epochs=spec.epochs * times)
    if teacher is not None:
        if not teacher.is_file():
            raise CheckpointError(f"{teacher} is missing; train its network first, with the same --work")
        soft = _soft(keras, cache, patients, teacher)
        spec = replace(spec, distil_weight=WEIGHT, teachers=(artifacts.sha256_file(teacher),))
    sampler = Sampler.of(cache, patients, spec, soft)

    def build(side: int) -> Any:
        model = build_model(spec.variant, ImageSpec(height=side, width=side, channels=CHANNELS), keras)
        draw_kernels(model, seed=spec.seed)
        return model

    def logits(model: Any, patient: str) -> NDArray[np.float32]:
        return _drawn(model, cache, patient)

    return Way(spec=spec, steps=sampler.steps_per_epoch, build=build, batch=sampler.batch, logits=logits)


def _soft(keras: Any, cache: SliceCache, patients: tuple[str, ...], teacher: Path) -> NDArray[np.uint8]:
    """Ask the teacher about every slice of the patients: what `Sampler.soft` holds."""
    network = lite0_unet(keras, cache.index.width)
    network.load_weights(teacher)
    soft = np.zeros(cache.images.shape[:3], np.uint8)
    for patient in patients:
        p = 1.0 / (1.0 + np.exp(-_drawn(network, cache, patient)))
        soft[np.asarray(cache.rows(patient))] = np.rint(p * 255.0).astype(np.uint8)
    return soft


def _drawn(network: Any, cache: SliceCache, patient: str) -> NDArray[np.float32]:
    images = cache.volume(patient).images.astype(np.float32) / np.float32(255.0)
    return predict(network, images, batch=BATCH)[..., 0]
