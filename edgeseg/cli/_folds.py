"""`edgeseg train --folds`: cross-validation, and the table of what it found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edgeseg.data.cache import SliceCache
from edgeseg.data.split import Split
from edgeseg.data.volume import PHANTOM
from edgeseg.results import OutOfFoldResult
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


def out_of_fold_table(result: OutOfFoldResult) -> RenderableType:
    """Draw the folds, the institutions, and the figures over all patients."""
    found, lesions = (sum(getattr(p.score, name) for p in result.patients) for name in ("lesions_found", "lesions"))
    wrong, free = (
        sum(getattr(p.score, name) for p in result.patients) for name in ("false_positive_slices", "tumour_free_slices")
    )
    over_all = (
        f"Dice: mean {result.dice.mean:.3f} [{result.dice.low:.3f}, {result.dice.high:.3f}] (95 % over patients), "
        f"median {result.dice_median:.3f}",
        f"lesions found: {found} of {lesions}; tumour-free slices marked: {wrong} of {free}",
        f"threshold {result.threshold:g}, {result.numerics}, seed {result.seed}, {result.backend}",
    )
    title = f"{result.variant} on {result.data}, out of fold, n = {len(result.patients)} patient(s)"
    parts: list[RenderableType] = [
        _table("Fold", ((str(f.fold), f.patients, f.dice_mean, f.dice_median) for f in result.folds)),
        "",
    ]
    if any(score.institution for score in result.institutions):
        rows = ((s.institution or "-", s.patients, s.dice_mean, s.dice_median) for s in result.institutions)
        parts += [_table("Institution", rows), ""]
    parts += [Text(title, style="bold", overflow="fold"), *(Text(text, overflow="fold") for text in over_all)]
    if result.data == PHANTOM:
        remark = "RESTS ON PHANTOMS (synthetic heads): these figures say nothing about real patients."
        parts.append(Text(remark, style="bold yellow", overflow="fold"))
    return Group(*parts)


def _table(first: str, rows: Iterable[tuple[str, int, float, float]]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, overflow="fold", max_width=24)
    for name in ("Patients", "Dice mean", "median"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, patients, mean, median in rows:
        table.add_row(Text(name), f"{patients}", f"{mean:.3f}", f"{median:.3f}")
    return table
