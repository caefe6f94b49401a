"""What teachers say of the training slices: the soft labels of distillation.

A teacher that learned a patient repeats the reference on them; one that did not shows where the reference is in doubt.
So a patient's labels come from the teachers that never saw them where there are any, and from all where there are none.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531, at temperature 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.backend import predict
from edgeseg.checkpoint import Checkpoint, load_weights
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, SeenPatientError
from edgeseg.specs import ImageSpec
from edgeseg.variants import build_model

PREDICT_BATCH = 16
FLIPS = (slice(None), slice(None, None, -1))


def soft_labels(
    cache: SliceCache,
    teachers: Sequence[Checkpoint],
    *,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
    keras: Any,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.uint8]:
    """Return the teachers' mean tumour probability of every training slice, each seen as it is and mirrored.

    Args:
        cache: decoded slices.
        teachers: weights of any variants.
        train_patients: who the student learns from.
        validation_patients: who the student is scored on; a teacher must not have learned from them either.
        keras: Keras 3.
        progress: called with patients done and patients in all, over all teachers.

    Returns:
        `(rows of the cache, H, W) uint8`, 255 for certain tumour; 0 in rows that are no training slices.

    Raises:
        SeenPatientError: when a teacher learned from a validation patient.
        CheckpointError: when a teacher is for slices of another size.
    """
    for teacher in teachers:
        _check(teacher, cache, validation_patients)
    sums = np.zeros(cache.masks.shape, np.float32)
    counts = np.zeros(len(cache.masks), np.int64)
    pupils = [_pupils(teacher, teachers, train_patients) for teacher in teachers]
    done, total = 0, sum(map(len, pupils))
    for teacher, patients in zip(teachers, pupils, strict=True):
        image = ImageSpec(height=cache.index.height, width=cache.index.width)
        model = build_model(teacher.header.variant, image, keras)
        load_weights(model, teacher, teacher.header.variant)
        for patient in patients:
            rows = cache.rows(patient)
            sums[rows.start : rows.stop] += _probabilities(model, np.asarray(cache.volume(patient).images))
            counts[rows.start : rows.stop] += 1
            done += 1
            if progress is not None:
                progress(done, total)
    means = sums / np.maximum(counts, 1)[:, np.newaxis, np.newaxis]
    return np.rint(means * 255.0).astype(np.uint8)


def _check(teacher: Checkpoint, cache: SliceCache, validation_patients: tuple[str, ...]) -> None:
    header = teacher.header
    if seen := sorted(set(header.train_patients) & set(validation_patients)):
        raise SeenPatientError(
            f"the teacher {teacher.path} learned from {len(seen)} validation patient(s), {seen[0]} first; what it "
            "teaches would leak into the score, so take a teacher of the same fold"
        )
    if (header.image.height, header.image.width) != (cache.index.height, cache.index.width):
        raise CheckpointError(
            f"the teacher {teacher.path} takes slices of {header.image.height} x {header.image.width} and the data has "
            f"{cache.index.height} x {cache.index.width}; take a teacher of that size"
        )


def _pupils(teacher: Checkpoint, teachers: Sequence[Checkpoint], patients: tuple[str, ...]) -> tuple[str, ...]:
    """The patients whose labels this teacher has a say in."""

    def learned_by_all(patient: str) -> bool:
        return all(patient in other.header.train_patients for other in teachers)

    return tuple(p for p in patients if p not in teacher.header.train_patients or learned_by_all(p))


def _probabilities(model: Any, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean probability over the slice and its mirror image: `(N, H, W, 3) uint8` -> `(N, H, W) float32`."""
    scaled = images.astype(np.float32) / np.float32(255.0)
    total = np.zeros(images.shape[:3], np.float32)
    for flip in FLIPS:
        logits = predict(model, scaled[:, :, flip], batch=PREDICT_BATCH)[..., 0]
        total += (1.0 / (1.0 + np.exp(-logits)))[:, :, flip]
    return total / np.float32(len(FLIPS))
