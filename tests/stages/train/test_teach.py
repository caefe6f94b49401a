"""Distillation: who teaches whom, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.artifacts import sha256_file
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, OptionError, SeenPatientError
from edgeseg.results import TrainResult
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.predict.predictor import volume_logits
from edgeseg.stages.predict.weights import checkpoint_predictor
from edgeseg.stages.train.teach import soft_labels
from edgeseg.stages.train.train import train

SPEC = TrainSpec(
    variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"), epochs=1, batch_size=4, crop_px=32, warmup_steps=2
)

pytestmark = pytest.mark.usefixtures("shallow_module")  # the subject is who teaches whom


@pytest.fixture(scope="module")
def cache(write_tiny_lgg: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> SliceCache:
    place = tmp_path_factory.mktemp("teach")
    return cached(KaggleLgg(write_tiny_lgg(place / "lgg")), "key", root=place / "cache")


def _train(cache: SliceCache, out: Path, learned: slice, *, seed: int = 0) -> Checkpoint:
    patients = cache.patients
    train(cache, replace(SPEC, seed=seed), out=out, train_patients=patients[learned], validation_patients=patients[4:])
    return read_checkpoint(out)


@pytest.fixture(scope="module")
def teachers(cache: SliceCache, tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, Checkpoint]:
    """Two that several tests look at and none changes."""
    place = tmp_path_factory.mktemp("teachers")
    return _train(cache, place / "a", slice(0, 2)), _train(cache, place / "b", slice(1, 4), seed=1)


def _seen_both_ways(cache: SliceCache, teacher: Checkpoint, patient: str) -> np.ndarray:
    volume, predictor = cache.volume(patient), checkpoint_predictor(teacher)
    mirrored = replace(volume, images=np.ascontiguousarray(volume.images[:, :, ::-1]))
    plain, back = volume_logits(predictor, volume), volume_logits(predictor, mirrored)[:, :, ::-1]
    return (1 / (1 + np.exp(-plain)) + 1 / (1 + np.exp(-back))) / 2


def test_a_patient_is_taught_by_those_who_never_saw_it_where_there_are_any(
    cache: SliceCache, teachers: tuple[Checkpoint, Checkpoint]
) -> None:
    patients = cache.patients
    soft = soft_labels(cache, teachers, train_patients=patients[:4], validation_patients=patients[4:])
    assert soft.dtype == np.uint8
    assert soft.shape == cache.masks.shape
    by = {0: (teachers[1],), 1: teachers, 2: (teachers[0],), 3: (teachers[0],)}
    for index, asked in by.items():
        wanted = np.mean([_seen_both_ways(cache, t, patients[index]) for t in asked], axis=0)
        rows = cache.rows(patients[index])
        np.testing.assert_allclose(soft[rows.start : rows.stop] / 255, wanted, atol=0.003)
    assert not soft[cache.rows(patients[4]).start :].any()


def test_a_teacher_that_saw_a_validation_patient_is_refused(
    cache: SliceCache, teachers: tuple[Checkpoint, Checkpoint]
) -> None:
    patients = cache.patients
    with pytest.raises(SeenPatientError, match="learned from 1 validation patient"):
        soft_labels(cache, teachers, train_patients=patients[3:], validation_patients=patients[:1])


def test_a_student_learns_from_its_teachers_and_remembers_which(
    cache: SliceCache, teachers: tuple[Checkpoint, Checkpoint], tmp_path: Path
) -> None:
    names = tuple(sha256_file(t.path) for t in teachers)
    spec = replace(SPEC, distil_weight=0.5, teachers=names)

    def learn(asked: TrainSpec, place: str, given: tuple[Checkpoint, ...] = ()) -> TrainResult:
        patients, out = cache.patients, tmp_path / place
        return train(
            cache, asked, out=out, train_patients=patients[:4], validation_patients=patients[4:], teachers=given
        )

    with pytest.raises(CheckpointError, match="2 of other weights"):
        learn(spec, "run")
    taught, alone = learn(spec, "run", teachers), learn(SPEC, "alone")
    assert read_checkpoint(tmp_path / "run").header.train.teachers == names
    assert taught.history[0].loss != alone.history[0].loss


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distil_weight": 0.5}, "distillation needs both"),
        ({"teachers": ("a",)}, "distillation needs both"),
        ({"distil_weight": 0.5, "teachers": ("a",), "loss": "dice"}, "no cross-entropy"),
        ({"distil_weight": 1.5, "teachers": ("a",)}, r"must lie in \[0, 1\]"),
    ],
)
def test_a_spec_refuses_half_a_distillation(changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        replace(SPEC, **changes)  # type: ignore[arg-type]


def test_a_teacher_of_other_masks_is_refused(cache: SliceCache, teachers: tuple[Checkpoint, Checkpoint]) -> None:
    header = teachers[0].header
    several = replace(teachers[0], header=replace(header, image=replace(header.image, classes=("whole", "core"))))
    with pytest.raises(CheckpointError, match=r"draws whole, core, and the data's masks are of one class \('whole'\)"):
        soft_labels(cache, (several,), train_patients=cache.patients[:4], validation_patients=cache.patients[4:])
