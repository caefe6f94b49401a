"""What teachers say of the training slices: the soft labels of distillation.

A teacher that learned a patient repeats the reference on them; one that did not shows where the reference is in doubt.
So a patient's labels come from the teachers that never saw them where there are any, and from all where there are none.

Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", arXiv 1503.02531, at temperature 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.mapped import let_go
from edgeseg.data.volume import Volume
from edgeseg.errors import CheckpointError
from edgeseg.imaging import logits_to_size
from edgeseg.place import scratch_file
from edgeseg.progress import Progress
from edgeseg.specs import refuse_learned
from edgeseg.stages.predict import Predictor, checkpoint_predictor, flip_passes


def soft_labels(
    cache: SliceCache,
    teachers: Sequence[Checkpoint],
    *,
    train_patients: tuple[str, ...],
    validation_patients: tuple[str, ...],
    progress: Progress | None = None,
) -> NDArray[np.uint8]:
    """Return the teachers' mean tumour probability of every training slice, each seen as it is and mirrored.

    Args:
        cache: decoded slices.
        teachers: weights of any variants.
        train_patients: who the student learns from.
        validation_patients: who the student is scored on; a teacher must not have learned from them either.
        progress: called after each patient, over all teachers.

    Returns:
        `(rows of the cache, H, W) uint8`, 255 for certain tumour; 0 in rows that are no training slices. Of K classes
        `(rows, H, W, K)`, in the order of the data's. It is mapped from a temporary file that is gone with it.

    Raises:
        SeenPatientError: when a teacher learned from a validation patient.
        CheckpointError: when a teacher is for slices of another size, or does not draw a class of the data.
        OutputError: when the temporary file has no room.
    """
    for teacher in teachers:
        _check(teacher, cache, validation_patients)
    soft = _rows_file(cache.masks.shape)
    says = [frozenset(_pupils(teacher, teachers, train_patients)) for teacher in teachers]
    predictors = [checkpoint_predictor(t, threads=None) if who else None for t, who in zip(teachers, says, strict=True)]
    done, total = 0, sum(map(len, says))
    for patient in train_patients:
        volume = cache.volume(patient)
        asked = [one for one, who in zip(predictors, says, strict=True) if one is not None and patient in who]
        summed = np.zeros(np.shape(volume.reference), np.float32)
        for predictor in asked:
            summed += _probabilities(predictor, volume)
            done += 1
            if progress is not None:
                progress(done, total, patient)
        rows = cache.rows(patient)
        soft[rows.start : rows.stop] = np.rint(summed.astype(np.float64) / max(len(asked), 1) * 255.0).astype(np.uint8)
        cache.let_go()
        let_go(soft)
    return soft


def _rows_file(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Zeros of a shape, mapped from a file among the temporary ones, so that memory does not grow with the slices."""
    with scratch_file(math.prod(shape)) as file:
        return np.memmap(file, np.uint8, "r+", shape=shape)


def _check(teacher: Checkpoint, cache: SliceCache, validation_patients: tuple[str, ...]) -> None:
    header = teacher.header
    drawn = header.image.classes
    if missing := sorted(set(cache.classes) - set(drawn)) or (() if cache.classes else drawn):
        raise CheckpointError(
            f"the teacher {teacher.path} draws {', '.join(drawn) or 'one mask'}, and the data's masks are of "
            f"{', '.join(cache.classes) or 'one class'} ('{missing[0]}'); take a teacher of these classes, or choose "
            "them with --labels"
        )
    refuse_learned(
        f"the teacher {teacher.path}",
        header.train_patients,
        validation_patients,
        are="validation patient(s)",
        advice="; what it teaches would leak into the score, so take a teacher of the same fold",
    )
    if header.image.plane != cache.index.plane:
        raise CheckpointError(
            f"the teacher {teacher.path} takes {header.image.plane} slices and the data was decoded to "
            f"{cache.index.plane} ones; take a teacher of that plane"
        )
    if header.foreign is None and (header.image.height, header.image.width) != (cache.index.height, cache.index.width):
        raise CheckpointError(
            f"the teacher {teacher.path} takes slices of {header.image.height} x {header.image.width} and the data has "
            f"{cache.index.height} x {cache.index.width}; take a teacher of that size"
        )


def _pupils(teacher: Checkpoint, teachers: Sequence[Checkpoint], patients: tuple[str, ...]) -> tuple[str, ...]:
    """The patients whose labels this teacher has a say in."""

    def learned_by_all(patient: str) -> bool:
        return all(patient in other.header.train_patients for other in teachers)

    return tuple(p for p in patients if p not in teacher.header.train_patients or learned_by_all(p))


def _probabilities(teacher: Predictor, volume: Volume) -> NDArray[np.float32]:
    """Mean probability over each slice and its mirror image, `(N, H, W) float32`; of K classes `(N, H, W, K)`."""
    passes = [1.0 / (1.0 + np.exp(-logits)) for logits in flip_passes(teacher, volume, flips="hflip")]
    mean: NDArray[np.float32] = np.mean(passes, axis=0, dtype=np.float32)
    if volume.classes:
        drawn = [region.name for region in teacher.contract.regions]
        mean = mean[..., [drawn.index(name) for name in volume.classes]]
    return logits_to_size(mean, *volume.images.shape[1:3])
