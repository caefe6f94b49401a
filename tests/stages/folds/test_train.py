"""Cross-validation: every patient once, by the model that never saw them; resumable, here or on Ray."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache, cached
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.data.split import Split, make_folds
from edgeseg.errors import DatasetError, MissingExtraError, OptionError, OutputError, SeenPatientError
from edgeseg.jsonio import from_json
from edgeseg.metrics import bootstrap_interval
from edgeseg.place.claim import LOCK
from edgeseg.results import OutOfFoldResult
from edgeseg.specs import TrainSpec, VariantSpec
from edgeseg.stages.folds.out_of_fold import OUT_OF_FOLD, out_of_fold
from edgeseg.stages.folds.train import FoldJob, RayPlan, _fold_there, fold_jobs, run_fold, train_folds
from edgeseg.stages.predict.weights import checkpoint_predictor
from edgeseg.stages.score import evaluate
from edgeseg.stages.train.loop import TrainProgress
from tests._ray import FakeRay

pytestmark = pytest.mark.usefixtures("untraced", "shallow")
SPEC = TrainSpec(
    variant=VariantSpec(name="alphax", alpha=0.0625, stem="half"),
    epochs=2,
    batch_size=4,
    crop_px=32,
    steps_per_epoch=1,
    warmup_steps=1,
)


@pytest.fixture
def cache(tiny_lgg: Path, tmp_path: Path) -> SliceCache:
    return cached(KaggleLgg(tiny_lgg), "key", root=tmp_path / "cache")


@pytest.fixture
def split(cache: SliceCache) -> Split:
    return make_folds(cache, folds=2, seed=0)


def test_every_patient_is_scored_once_by_a_model_that_never_saw_them(
    cache: SliceCache, split: Split, tmp_path: Path
) -> None:
    out = tmp_path / "folds"
    jobs = fold_jobs(cache, SPEC, split, out=out)
    steps: list[TrainProgress] = []

    def stop(at: TrainProgress) -> None:
        steps.append(at)
        if len(steps) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_folds(jobs, out=out, progress=stop)
    assert not (out / OUT_OF_FOLD).exists()
    first = (out / "fold0" / "weights.safetensors").stat().st_mtime_ns
    with pytest.raises(OutputError, match="--resume"):
        fold_jobs(cache, SPEC, split, out=out)

    steps.clear()
    result = train_folds(fold_jobs(cache, SPEC, split, out=out, resume=True), out=out, progress=steps.append)
    assert (out / "fold0" / "weights.safetensors").stat().st_mtime_ns == first
    assert [(at.epoch, at.step) for at in steps] == [(2, 1)]
    assert sorted(entry.score.patient for entry in result.patients) == list(cache.patients)
    for entry in result.patients:
        assert entry.score.patient in split.validation(entry.fold)
        assert entry.score.patient not in read_checkpoint(out / f"fold{entry.fold}").header.train_patients
    assert result.dice == bootstrap_interval([entry.score.dice for entry in result.patients], seed=SPEC.seed)
    assert {score.institution: score.patients for score in result.institutions} == {"AA": 4, "BB": 2}
    assert [fold.patients for fold in result.folds] == [3, 3]
    assert from_json(OutOfFoldResult, (out / OUT_OF_FOLD).read_text()) == result

    outcome = run_fold(replace(jobs[0], resume=True))
    learned_from = cache.volume(jobs[0].train_patients[0])
    with pytest.raises(SeenPatientError):
        evaluate(checkpoint_predictor(read_checkpoint(jobs[0].out)), [learned_from], artifact="a", data=cache.name)
    with pytest.raises(DatasetError, match="scored in two folds"):
        out_of_fold([outcome, replace(outcome, fold=1)])
    with pytest.raises(DatasetError, match="a model that saw them"):
        out_of_fold([replace(outcome, evaluation=replace(outcome.evaluation, seen_patients=1))])


def test_no_fold_is_no_result() -> None:
    with pytest.raises(DatasetError, match="no fold"):
        out_of_fold([])


def test_each_fold_has_its_own_teacher(cache: SliceCache, split: Split, tmp_path: Path) -> None:
    one = replace(SPEC, epochs=1)
    teachers = fold_jobs(cache, one, split, out=tmp_path / "teachers")
    for job in teachers:
        run_fold(job)
    pupils = fold_jobs(cache, one, split, out=tmp_path / "pupils", teachers=(tmp_path / "teachers",))
    assert [job.teachers for job in pupils] == [(tmp_path / "teachers" / f"fold{k}",) for k in range(2)]
    assert len({job.spec.teachers for job in pupils}) == 2
    assert all(job.spec.distil_weight == 0.5 for job in pupils)
    run_fold(pupils[1])
    with pytest.raises(SeenPatientError):
        run_fold(replace(pupils[0], teachers=pupils[1].teachers, spec=pupils[1].spec))


def test_ray_that_is_absent_is_named(
    cache: SliceCache, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    jobs = fold_jobs(cache, SPEC, split, out=tmp_path / "folds")
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeseg\[ray\]'"):
        train_folds(jobs, out=tmp_path / "folds", ray=RayPlan())
    assert not (tmp_path / "folds").exists()


def test_ray_runs_the_folds_and_gives_their_own_errors(
    cache: SliceCache, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray, came, gathered = FakeRay(), [], []

    def keep(outcomes: list[Any]) -> list[Any]:
        gathered.extend(outcomes)
        return outcomes

    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr("edgeseg.stages.folds.train.run_fold", lambda job: f"outcome of {job.fold}")
    monkeypatch.setattr("edgeseg.stages.folds.train.out_of_fold", keep)
    monkeypatch.setattr("edgeseg.stages.folds.train.write_out_of_fold", lambda *_: None)
    jobs = fold_jobs(cache, SPEC, split, out=tmp_path)
    train_folds(jobs, out=tmp_path, ray=RayPlan(), on_fold=lambda job: came.append(job.fold))
    assert ray.shares == {"num_cpus": 4, "num_gpus": 0, "max_retries": 4}
    assert came == [1, 0]
    assert gathered == ["outcome of 0", "outcome of 1"]
    assert not ray.up

    def fail(job: FoldJob) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr("edgeseg.stages.folds.train.run_fold", fail)
    with pytest.raises(OutputError, match="the disk is full"):
        train_folds(jobs, out=tmp_path, ray=RayPlan(cpus=2))
    assert ray.shares["num_cpus"] == 2
    assert not ray.up
    with pytest.raises(OptionError, match="5 processors per fold were asked for and the largest host of Ray has 4"):
        train_folds(jobs, out=tmp_path, ray=RayPlan(cpus=5))
    ray.broken = True
    with pytest.raises(OptionError, match=r"Ray did not start on this machine \(no raylet\)"):
        train_folds(jobs, out=tmp_path, ray=RayPlan())


def _kill_the_worker_of(place: Path) -> int:
    """Wait until a run has saved a state, kill the process that holds its folder, and return how many there were."""
    while not (place / "state.safetensors").exists():
        time.sleep(0.01)
    found = 0
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if handle.readlink() == place / LOCK and (worker := int(handle.parts[2])) != os.getpid():
                os.kill(worker, signal.SIGKILL)
                found += 1
    return found


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the ray extra is not installed")
def test_folds_run_on_a_real_ray_and_outlive_a_worker(cache: SliceCache, split: Split, tmp_path: Path) -> None:
    out = tmp_path / "folds"
    jobs = fold_jobs(cache, replace(SPEC, epochs=1), split, out=out)
    with ThreadPoolExecutor(1) as beside:
        killed = beside.submit(_kill_the_worker_of, out / "fold0")
        result = train_folds(jobs, out=out, ray=RayPlan(cpus=1))
    assert killed.result() == 1
    assert sorted(entry.score.patient for entry in result.patients) == list(cache.patients)


def test_a_fold_whose_worker_died_goes_on_from_its_last_epoch(
    cache: SliceCache, split: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray, tried = FakeRay(), list[tuple[int, bool]]()

    def dies_first(job: FoldJob) -> object:
        tried.append((job.fold, job.resume))
        if job.resume:
            return "outcome"
        job.out.mkdir()
        (job.out / "state.safetensors").touch()
        return _fold_there(job)  # as Ray begins it again: with the job that it was given

    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr("edgeseg.stages.folds.train.run_fold", dies_first)
    monkeypatch.setattr("edgeseg.stages.folds.train.out_of_fold", lambda outcomes: outcomes)
    monkeypatch.setattr("edgeseg.stages.folds.train.write_out_of_fold", lambda *_: None)
    jobs = fold_jobs(cache, SPEC, split, out=tmp_path)
    train_folds(jobs, out=tmp_path, ray=RayPlan())
    assert sorted(tried) == [(0, False), (0, True), (1, False), (1, True)]

    def dead(_: FoldJob) -> None:
        raise ray.exceptions.RayError("the worker died")

    monkeypatch.setattr("edgeseg.stages.folds.train.run_fold", dead)
    with pytest.raises(OutputError, match=r"workers of Ray died 5 times over one piece of work \(the worker died\)"):
        train_folds(jobs, out=tmp_path, ray=RayPlan())
