"""Cross-validation: one training per fold of a split, one after the other here, or handed to Ray."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgeseg import artifacts
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.split import Split
from edgeseg.errors import OptionError
from edgeseg.place import holding_out
from edgeseg.results import FoldOutcome, OutOfFoldResult
from edgeseg.specs import TrainSpec
from edgeseg.stages.folds.out_of_fold import out_of_fold, write_out_of_fold
from edgeseg.stages.predict import checkpoint_predictor
from edgeseg.stages.score import evaluate
from edgeseg.stages.train import OnTraining, holds_run, of_fold, refuse_overwrite, train
from edgeseg.workers.ray_tasks import TRIES, answered, connected, live_hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldJob:
    """One fold to train and to score; everything that another process needs. `cache` is `SliceCache.folder`."""

    fold: int
    cache: Path
    spec: TrainSpec
    out: Path
    train_patients: tuple[str, ...]
    validation_patients: tuple[str, ...]
    teachers: tuple[Path, ...] = ()
    initial: Path | None = None
    backend: str = "tensorflow"
    resume: bool = False
    validate_every: int = 5
    devices: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RayPlan:
    """How folds are handed to Ray: `cpus` each, all those of the largest host when None."""

    cpus: int | None = None


def fold_jobs(
    cache: SliceCache,
    spec: TrainSpec,
    split: Split,
    *,
    out: Path,
    teachers: Sequence[Path] = (),
    distil_weight: float = 0.5,
    initial: Path | None = None,
    backend: str = "tensorflow",
    resume: bool = False,
    validate_every: int = 5,
    devices: int = 1,
) -> tuple[FoldJob, ...]:
    """Lay out the trainings of all folds of a split, in `out/fold0`, `out/fold1` ...

    Args:
        cache: decoded slices.
        spec: what all folds share; without teachers.
        split: folds of patients.
        out: folder of the folds.
        teachers: runs to distil from; of one that holds folds itself, each fold takes its own.
        distil_weight: as in `TrainSpec`, with teachers only.
        initial: a run to start from; of one that holds folds itself, each fold takes its own.
        backend: as for `train`.
        resume: keep folds that are done, go on with the one that is not, and start the others.
        validate_every: as for `train`.
        devices: as for `train`.

    Raises:
        CheckpointError: when a teacher holds no weights.
        OutputError: when a fold stands in `out` and `resume` was not asked for.
    """
    jobs = []
    for fold in range(len(split.folds)):
        place = out / f"fold{fold}"
        if not resume:
            refuse_overwrite(place)
        own = tuple(of_fold(path, place.name) for path in teachers)
        start = None if initial is None else of_fold(initial, place.name)
        fold_spec = replace(spec, initial=None if start is None else _weights_sha256(start))
        if own:
            fold_spec = replace(fold_spec, teachers=tuple(map(_weights_sha256, own)), distil_weight=distil_weight)
        jobs.append(
            FoldJob(
                fold=fold,
                cache=cache.folder.resolve(),
                spec=fold_spec,
                out=place.resolve(),
                train_patients=split.training(fold),
                validation_patients=split.validation(fold),
                teachers=tuple(path.resolve() for path in own),
                initial=None if start is None else start.resolve(),
                backend=backend,
                resume=holds_run(place),
                validate_every=validate_every,
                devices=devices,
            )
        )
    return tuple(jobs)


def _weights_sha256(path: Path) -> str:
    return artifacts.sha256_file(read_checkpoint(path).path)


@holding_out
def train_folds(
    jobs: Sequence[FoldJob],
    *,
    out: Path,
    ray: RayPlan | None = None,
    on_fold: Callable[[FoldJob], None] | None = None,
    progress: OnTraining | None = None,
) -> OutOfFoldResult:
    """Train every fold, score every patient by the model that never saw them, and write `out/out-of-fold.json`.

    Args:
        jobs: of `fold_jobs`.
        out: folder of the folds.
        ray: hand the folds to Ray; without it they are trained here, one after the other.
        on_fold: called before a fold is trained here, or after Ray has brought it back.
        progress: as for `train`; not called with Ray.

    Raises:
        MissingExtraError: when Ray is asked for and not installed.
        SeenPatientError: when a fold's model saw a patient that it would be scored on.
        OutputError: when workers of Ray died over one fold too often; what they finished stays, for `resume`.
        EdgeSegError: as `train`.
    """
    if ray is not None:
        outcomes = _on_ray(jobs, ray, on_fold)
    else:
        outcomes = []
        for job in jobs:
            if on_fold:
                on_fold(job)
            outcomes.append(run_fold(job, progress=progress))
    result = out_of_fold(outcomes)
    write_out_of_fold(result, out)
    return result


def run_fold(job: FoldJob, *, progress: OnTraining | None = None) -> FoldOutcome:
    """Train one fold where it is not done, and score its held-out patients as float weights at threshold 0.5.

    Raises:
        EdgeSegError: as `train` and `evaluate`.
    """
    cache = SliceCache(job.cache)
    trained = train(
        cache,
        job.spec,
        out=job.out,
        train_patients=job.train_patients,
        validation_patients=job.validation_patients,
        backend=job.backend,
        resume=job.resume,
        validate_every=job.validate_every,
        progress=progress,
        teachers=tuple(map(read_checkpoint, job.teachers)),
        initial=None if job.initial is None else read_checkpoint(job.initial),
        devices=job.devices,
    )
    predictor = checkpoint_predictor(read_checkpoint(job.out))
    evaluation = evaluate(
        predictor,
        (cache.volume(patient) for patient in job.validation_patients),
        artifact=f"{trained.variant}/{predictor.contract.target}",
        data=cache.name,
        seed=job.spec.seed,
    )
    return FoldOutcome(fold=job.fold, training=trained, evaluation=evaluation)


def _on_ray(jobs: Sequence[FoldJob], plan: RayPlan, on_fold: Callable[[FoldJob], None] | None) -> list[FoldOutcome]:
    """Run the folds as Ray tasks; one whose worker dies goes on from its last epoch on another."""
    with connected("handing folds to Ray") as ray:
        remote = ray.remote(**_share(ray, plan, jobs))(_fold_there)
        tasks = {remote.remote(job): job for job in jobs}
        outcomes: dict[int, FoldOutcome] = {}
        while waiting := [task for task, job in tasks.items() if job.fold not in outcomes]:
            (done, *_), _ = ray.wait(waiting)
            outcomes[tasks[done].fold] = answered(ray, done)
            if on_fold:
                on_fold(tasks[done])
        return [outcomes[job.fold] for job in jobs]


def _fold_there(job: FoldJob) -> FoldOutcome:
    """Run a fold on a worker: what lies in its folder by now is of a worker that died over it."""
    return run_fold(replace(job, resume=job.resume or holds_run(job.out)))


def _share(ray: Any, plan: RayPlan, jobs: Sequence[FoldJob]) -> dict[str, Any]:
    """What one fold takes of a host: processors, and as many accelerators as it trains on where there are any."""
    hosts = live_hosts(ray)
    most = int(max(host.get("CPU", 0) for host in hosts))
    cpus = most if plan.cpus is None else plan.cpus
    if not 1 <= cpus <= most:
        raise OptionError(f"{cpus} processors per fold were asked for and the largest host of Ray has {most}")
    devices = max(job.devices for job in jobs)
    accelerators = max(host.get("GPU", 0) for host in hosts)
    return {"num_cpus": cpus, "num_gpus": devices if accelerators >= devices else 0, "max_retries": TRIES - 1}
