"""`edgeseg evaluate`: how good an artifact is on patients it has never seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import models
from edgeseg.cli._data import Labels, Layout, Ray
from edgeseg.cli._model import MODEL_HELP, artifact, label
from edgeseg.cli._options import BootstrapSeed, ContractFile, Threads, json_option

if TYPE_CHECKING:
    from edgeseg.data.subgroups import Grouping
    from edgeseg.data.volume import Dataset
    from edgeseg.results import EvalResult
    from edgeseg.specs import Contract
    from edgeseg.stages.predict import Predictor
    from edgeseg.stages.score import ScoreJob


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=f"{MODEL_HELP} Or .hdf5.", autocompletion=models)],
    data: Annotated[Path, typer.Option(metavar="DIR", help="A data set with reference masks.")],
    patients: Annotated[
        str | None, typer.Option(metavar="ID,ID", help="Only these patients, with commas between.")
    ] = None,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Only the held-out patients of one fold of this split.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="The fold of --split; 0 where none is given.")] = None,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Also score patients that training saw; the table is marked.")
    ] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="Leave out patients that training or calibration saw, and say how many.")
    ] = False,
    post_processing: Annotated[
        bool, typer.Option("--post-processing/--no-post-processing", help="Drop small components as the contract says.")
    ] = True,
    tta: Annotated[
        str, typer.Option(metavar="FLIPS", help="Test-time flips, logits averaged: none, hflip, vflip or flips (both).")
    ] = "none",
    simulate: Annotated[
        str,
        typer.Option(
            metavar="CHANGE", help="First: no-pre, no-post, flair-only, half-brightness or double-brightness."
        ),
    ] = "none",
    channels: Annotated[
        str | None,
        typer.Option(metavar="NAME=CHANNEL,...", help="What the network's channels are called in DIR: pre=t1n,..."),
    ] = None,
    by: Annotated[
        str | None, typer.Option(metavar="COLUMN,...", help="Also score subgroups: site, or columns of a CSV.")
    ] = None,
    subgroups: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --by: the CSV, with patient and these columns.")
    ] = None,
    min_subgroup: Annotated[
        int | None, typer.Option(help="With --by: patients that a subgroup needs to be called the worst; 5.")
    ] = None,
    seed: BootstrapSeed = 0,
    threads: Threads = 2,
    contract: ContractFile = None,
    layout: Layout = None,
    labels: Labels = None,
    ray: Ray = False,
    as_json: Annotated[bool, json_option("Print JSON instead of tables.")] = False,
) -> None:
    """Score an artifact per patient: Dice with its interval, IoU, HD95, lesions found, false alarms.

    Without --patients and --split all patients of the data set are scored.
    """
    from edgeseg.cli._print import show
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.specs import check_flips
    from edgeseg.stages.score import MIN_PATIENTS, ScoreJob, check_min_subgroup, check_simulation, only_unseen

    if threads < 1:
        raise OptionError(f"threads is {threads}; at least 1 is needed")
    _check_seen(unseen=unseen, allow_seen=allow_seen)
    model = artifact(model)
    check_flips(tta)
    check_simulation(simulate)
    _check_by(by, subgroups, min_subgroup)
    smallest = MIN_PATIENTS if min_subgroup is None else min_subgroup
    check_min_subgroup(smallest)
    job = ScoreJob(
        model=model,
        data=data,
        contract=contract,
        layout=layout,
        labels=labels,
        channels=_pairs(channels),
        threads=threads,
        allow_seen=allow_seen,
        post_processing=post_processing,
        flips=tta,
        simulation=simulate,
    )
    dataset = job.open_data()
    chosen = _chosen(dataset, patients, split, fold)
    predictor = job.open_model()
    chosen = only_unseen(predictor.contract, chosen) if unseen else chosen
    groupings = _groupings(dataset, chosen, data, by, subgroups)
    result, told = _scored(job, predictor, dataset, chosen, groupings, smallest, seed=seed, ray=ray)
    if as_json:
        typer.echo(to_json(result))
        return
    from edgeseg.reports.scores import evaluation_table

    show(evaluation_table(result, told))


def _scored(
    job: ScoreJob,
    predictor: Predictor,
    dataset: Dataset,
    chosen: tuple[str, ...],
    groupings: tuple[Grouping, ...],
    min_subgroup: int,
    *,
    seed: int,
    ray: bool,
) -> tuple[EvalResult, Contract]:
    """Score the patients here, or on Ray."""
    from edgeseg.cli._progress import counted
    from edgeseg.stages.score import check_unseen, evaluation_of, scores_on_ray

    told = predictor.contract
    check_unseen(told, chosen, allow_seen=job.allow_seen)
    cohort = job.mapped(dataset, told.channels)
    with counted("evaluating", total=len(chosen)) as progress:
        result = evaluation_of(
            scores_on_ray(job, chosen) if ray else job.scores(predictor, cohort, chosen),
            predictor,
            artifact=f"{label(told, job.model)}/{told.target}",
            data=dataset.name,
            post_processing=job.post_processing,
            flips=job.flips,
            simulation=job.simulation,
            seed=seed,
            groupings=groupings,
            min_subgroup=min_subgroup,
            progress=progress,
        )
    return result, told


def _check_seen(*, unseen: bool, allow_seen: bool) -> None:
    from edgeseg.errors import OptionError

    if unseen and allow_seen:
        raise OptionError("--unseen and --allow-seen were both given; one leaves out who was seen, the other does not")


def _check_by(by: str | None, subgroups: Path | None, min_subgroup: int | None) -> None:
    from edgeseg.errors import OptionError

    for option, value in (("--subgroups", subgroups), ("--min-subgroup", min_subgroup)):
        if by is None and value is not None:
            raise OptionError(f"{option} {value} was given without --by; name the column by which patients are parted")


def _groupings(
    dataset: Dataset, chosen: tuple[str, ...], data: Path, by: str | None, table: Path | None
) -> tuple[Grouping, ...]:
    from edgeseg.data.subgroups import own_table, parted
    from edgeseg.errors import OptionError

    if by is None:
        return ()
    columns = [column.strip() for column in by.split(",") if column.strip()]
    if not columns:
        raise OptionError("--by names no column; give site, or columns of a CSV with commas between")
    return parted(dataset, chosen, columns, table=table or own_table(data))


def _pairs(channels: str | None) -> tuple[tuple[str, str], ...]:
    from edgeseg.cli._channels import pairs

    if channels is None:
        return ()
    return tuple(pairs([part.strip() for part in channels.split(",")], "--channels NAME=CHANNEL,...").items())


def _chosen(dataset: Dataset, patients: str | None, split: Path | None, fold: int | None) -> tuple[str, ...]:
    from edgeseg.data.split import check_split, read_split
    from edgeseg.errors import OptionError

    if patients is not None and split is not None:
        raise OptionError("--patients and --split were both given; each names the patients by itself, so choose one")
    if fold is not None and split is None:
        raise OptionError(f"--fold {fold} was given without --split; add --split FILE")
    if split is not None:
        manifest = read_split(split)
        held_out = manifest.validation(fold or 0)
        check_split(manifest, dataset, patients=held_out)
        return held_out
    return dataset.patients if patients is None else _named(dataset, patients)


def _named(dataset: Dataset, patients: str) -> tuple[str, ...]:
    import difflib

    from edgeseg.errors import DatasetError, OptionError

    named = tuple(dict.fromkeys(part.strip() for part in patients.split(",") if part.strip()))
    if not named:
        raise OptionError("--patients names nobody; give ids with commas between, or leave it out for all")
    known = dataset.patients
    if unknown := [name for name in named if name not in known]:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise DatasetError(
            f"{len(unknown)} of the {len(named)} patients named are not among the {len(known)} of {dataset.name}, "
            f"'{unknown[0]}' among them; name folders of the data set.{hint}"
        )
    return named
