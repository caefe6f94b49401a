"""`edgeseg train --folds`: cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from edgeseg.data.cache import SliceCache
from edgeseg.data.split import Split
from edgeseg.specs import TrainSpec
from edgeseg.stages.folds import OUT_OF_FOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What the caller of `edgeseg train` decides beside the `TrainSpec`."""

    out: Path
    backend: str
    resume: bool
    validate_every: int
    devices: int
    teachers: tuple[Path, ...]
    distil_weight: float
    initial: Path | None
    name: str = ""


def cross_validate(
    slices: SliceCache,
    spec: TrainSpec,
    split: Split,
    options: TrainOptions,
    *,
    ray: bool,
    ray_cpus: int | None,
    as_json: bool,
) -> None:
    """Train all folds of a split and print what they give out of fold."""
    from edgeseg.cli._print import show
    from edgeseg.cli._progress import line
    from edgeseg.cli._training import resumable, training_bar
    from edgeseg.jsonio import to_json
    from edgeseg.reports.folds import out_of_fold_table
    from edgeseg.stages.folds import RayPlan, fold_jobs, train_folds

    jobs = fold_jobs(
        slices,
        spec,
        split,
        out=options.out,
        teachers=options.teachers,
        distil_weight=options.distil_weight,
        initial=options.initial,
        backend=options.backend,
        resume=options.resume,
        validate_every=options.validate_every,
        devices=options.devices,
    )
    with resumable(options.out, below="fold*/"), training_bar() as progress:
        result = train_folds(
            jobs,
            out=options.out,
            ray=RayPlan(cpus=ray_cpus) if ray else None,
            on_fold=lambda job: line(f"{job.out.name}, of {len(jobs)} folds{': done' if ray else ''}"),
            progress=progress,
        )
    if as_json:
        typer.echo(to_json(result))
        return
    show(out_of_fold_table(result))
    typer.echo(f"scores: {options.out / OUT_OF_FOLD}")
