"""Compression of all folds: each as if alone, and going on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.errors import CheckpointError, OutputError, SeenPatientError
from edgeseg.specs import Chain, ChannelPrune, Distil
from edgeseg.stages.compress.compress import compress
from edgeseg.stages.compress.folds import compress_folds
from edgeseg.stages.compress.workbench import validation_dice
from edgeseg.stages.folds.logits import find_runs
from edgeseg.stages.train.run_folder import fold_folders, of_fold

pytestmark = pytest.mark.usefixtures("untraced", "shallow")
CHAIN = Chain(steps=(ChannelPrune(macs=0.6, multiple=2, batches=1, epochs=1, steps_per_epoch=1),))


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def folds(tiny_lgg: Path, make_folds: Callable[..., Path]) -> Path:
    """Two folds that hold out two patients and one."""
    patients = KaggleLgg(tiny_lgg).patients
    return make_folds((patients[3:], patients[:2]), (patients[3:], patients[2:3]))


def test_each_fold_is_compressed_and_the_means_are_over_patients(
    folds: Path, cache: SliceCache, tmp_path: Path
) -> None:
    out, met = tmp_path / "out", list[str]()
    result = compress_folds(find_runs(folds), CHAIN, cache, out=out, on_fold=lambda place: met.append(place.name))
    assert met == ["fold0", "fold1"] == [path.name for path in fold_folders(out)]
    assert [(fold.fold, fold.patients) for fold in result.folds] == [("fold0", 2), ("fold1", 1)]
    for mean, folder in ((result.dice_mean_before, folds), (result.dice_mean_after, out)):
        scores = [dice for place in fold_folders(folder) for dice in validation_dice(read_checkpoint(place), cache)]
        assert len(scores) == result.patients == 3
        assert mean == pytest.approx(np.mean(scores))
    with pytest.raises(OutputError, match=r"fold0 already holds a run; go on with --resume"):
        compress_folds(find_runs(folds), CHAIN, cache, out=out)


def test_going_on_keeps_what_is_done_and_starts_the_rest(folds: Path, cache: SliceCache, tmp_path: Path) -> None:
    out = tmp_path / "out"
    alone = compress(read_checkpoint(folds / "fold0"), CHAIN, cache, out=out / "fold0")
    reused: list[bool] = []
    result = compress_folds(
        find_runs(folds), CHAIN, cache, out=out, resume=True, on_step=lambda _, before: reused.append(before)
    )
    assert reused == [True, False]
    assert result.folds[0].result == alone


def test_nothing_to_go_on_with_and_places_that_are_taken_are_refused_before_anything_is_done(
    folds: Path, cache: SliceCache, tmp_path: Path
) -> None:
    met: list[Path] = []
    with pytest.raises(CheckpointError, match=r"no compression of folds to go on with"):
        compress_folds(find_runs(folds), CHAIN, cache, out=tmp_path / "typo", resume=True, on_fold=met.append)
    taken = tmp_path / "out" / "fold1"
    taken.mkdir(parents=True)
    (taken / "weights.safetensors").write_bytes((folds / "fold1" / "weights.safetensors").read_bytes())
    (tmp_path / "out" / "fold0" / "steps").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"fold1 already holds a run"):
        compress_folds(find_runs(folds), CHAIN, cache, out=tmp_path / "out", resume=True, on_fold=met.append)
    assert met == []


def test_each_fold_has_its_own_teachers(folds: Path, cache: SliceCache, tmp_path: Path) -> None:
    student = Distil(alpha=0.03125, epochs=1, steps_per_epoch=1, teachers=(str(folds),))
    result = compress_folds(find_runs(folds), Chain(steps=(student,)), cache, out=tmp_path / "out")
    taught = [dict(fold.result.steps[0].options)["teachers"] for fold in result.folds]
    assert taught == [str(folds / "fold0"), str(folds / "fold1")]


def test_a_teacher_that_saw_a_held_out_patient_is_refused_before_anything_is_done(
    folds: Path, cache: SliceCache, tmp_path: Path, make_folds: Callable[..., Path]
) -> None:
    patients, met = cache.patients, list[Path]()
    make_folds((patients[3:], patients[:2]), (patients[3:], patients[2:3]), (patients[2:], patients[:1]))
    teacher = (folds / "fold2").rename(tmp_path / "teacher")
    chain = Chain(steps=(Distil(alpha=0.03125, teachers=(str(teacher),)),))
    with pytest.raises(
        SeenPatientError, match=rf"learned from 1 patient\(s\) whom fold1 holds out, {patients[2]} first"
    ):
        compress_folds(find_runs(folds), chain, cache, out=tmp_path / "out", on_fold=met.append)
    assert met == []


def test_a_folder_of_a_run_and_of_folds_is_refused(folds: Path) -> None:
    (folds / "weights.safetensors").write_bytes((folds / "fold0" / "weights.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match=r"holds both weights.safetensors of its own and folds"):
        find_runs(folds)


def test_folds_are_met_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("fold10", "fold2", "folder", "fold", "foldx"):
        (tmp_path / name).mkdir()
    (tmp_path / "fold3").write_text("a file")
    assert [path.name for path in fold_folders(tmp_path)] == ["fold2", "fold10"]
    assert fold_folders(tmp_path / "fold3") == ()
    assert of_fold(tmp_path) == of_fold(tmp_path, "fold2") == tmp_path / "fold2"
    assert of_fold(tmp_path / "fold3") == tmp_path / "fold3"
    assert of_fold(tmp_path, "fold7") == tmp_path
