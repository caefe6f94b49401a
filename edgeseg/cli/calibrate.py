"""`edgeseg calibrate`: record the activation ranges that int8 targets take, so that later builds need no data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgeseg.cli._complete import networks
from edgeseg.cli._data import Labels, Layout
from edgeseg.cli._options import json_option, out_option
from edgeseg.cli._weights import weights_option

if TYPE_CHECKING:
    from edgeseg.checkpoint import Checkpoint
    from edgeseg.data.volume import Dataset
    from edgeseg.results import CalibrationSet
    from edgeseg.stages.calibrate.ranges import RecordedRanges


def calibrate(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The data set that the weights were trained on.")],
    checkpoint: Annotated[
        list[Path] | None,
        weights_option(
            "--checkpoint",
            "A run or its weights, several if repeated; all networks of the place of --out if not given",
            metavar="CKPT",
        ),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A network by name, several if repeated.", autocompletion=networks),
    ] = None,
    slices: Annotated[int | None, typer.Option(help="How many slices to choose; else 128, or all.")] = None,
    method: Annotated[
        str, typer.Option(help="How ranges follow from the values: min-max, percentile, entropy or mse.")
    ] = "min-max",
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 0,
    split: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Choose only training patients of one fold of this split.")
    ] = None,
    fold: Annotated[int | None, typer.Option(help="The fold of --split; 0 where none is given.")] = None,
    out: Annotated[
        Path | None,
        out_option(
            "Gets sets/NAME.json and ranges/NAME.json; where 'edgeseg build' looks for them if not given.",
            metavar="DIR",
        ),
    ] = None,
    study: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the page on Dice against slices and method instead, JSON beside it."),
    ] = None,
    target: Annotated[str, typer.Option(help="The int8 target of --study.")] = "tflite-int8",
    layout: Layout = None,
    labels: Labels = None,
    as_json: Annotated[bool, json_option("Print the recorded ranges as JSON.")] = False,
) -> None:
    """Record the range of every layer over slices of training patients, stratified by lesion size and institution.

    With --study nothing is recorded: int8 files of 8 to 512 calibration slices, of each method and of phantoms are
    scored on the patients that training held out. 'edgeseg build' without --data takes the ranges that were recorded
    for the weights it starts from: those in calibration/ of the checkout that edgeseg runs from, or of your folder for
    data. Run this again when weights have changed.
    """
    from edgeseg.artifacts import own_home
    from edgeseg.cli._progress import counted
    from edgeseg.data.cache import folder_key
    from edgeseg.data.open import open_dataset
    from edgeseg.data.plane import seen_in
    from edgeseg.jsonio import to_json
    from edgeseg.place import claimed
    from edgeseg.stages.calibrate import CALIBRATION, choose_and_record, ranges_name, write_recorded

    among = _training(split, fold)
    checkpoints = _checkpoints(checkpoint, network)
    dataset = open_dataset(data, layout=layout, labels=labels)
    if study is not None:
        key = folder_key(data, layout=layout, labels=labels)
        _study(study, checkpoints, dataset, key, among, target=target, seed=seed, as_json=as_json)
        return
    place = out or own_home() / CALIBRATION
    names = [ranges_name(weights) for weights in checkpoints]
    with claimed(place):
        found = []
        for name, weights in zip(names, checkpoints, strict=True):
            with counted(f"calibrating {name}") as progress:
                found.append(
                    choose_and_record(
                        weights,
                        seen_in(dataset, weights.header.image.plane),
                        slices=slices,
                        seed=seed,
                        method=method,
                        among=among,
                        progress=progress,
                    )
                )
        for name, (manifest, recorded) in zip(names, found, strict=True):
            _tell(name, manifest, recorded, write_recorded(recorded, manifest, place, name=name), as_json=as_json)
    if as_json:
        typer.echo(to_json([recorded for _, recorded in found]))


def _tell(
    name: str, manifest: CalibrationSet, recorded: RecordedRanges, written: tuple[Path, Path], *, as_json: bool
) -> None:
    """Say what was written, and whether it names patients."""
    from edgeseg.cli._progress import line
    from edgeseg.specs import is_public

    if not as_json:
        typer.echo(f"{name}, weights {recorded.weights_sha256[:12]}: {recorded.describe()}")
        typer.echo("".join(f"  {path}\n" for path in written), nl=False)
    if not all(map(is_public, manifest.patients)):
        line(f"{written[0]} names patients by their ids; hand it to nobody")


def _study(
    page: Path,
    checkpoints: list[Checkpoint],
    dataset: Dataset,
    key: str,
    among: tuple[str, ...] | None,
    *,
    target: str,
    seed: int,
    as_json: bool,
) -> None:
    import shlex
    import sys

    from edgeseg import artifacts
    from edgeseg.errors import OptionError
    from edgeseg.jsonio import to_json
    from edgeseg.reports.calibration import markdown
    from edgeseg.stages.calibrate import study

    if len(checkpoints) != 1:
        raise OptionError(f"--study takes one checkpoint, and {len(checkpoints)} are there; name one with --checkpoint")
    result = study(
        checkpoints[0],
        dataset,
        key=key,
        target=target,
        seed=seed,
        among=among,
        command=shlex.join(["edgeseg", *sys.argv[1:]]),
        on_stage=lambda record: typer.echo(f"{record.stage:<46}{record.seconds:>8.1f} s", err=True),
    )
    text = markdown(result)
    artifacts.write_text(page.with_suffix(".json"), to_json(result) + "\n")
    artifacts.write_text(page, text)
    typer.echo(to_json(result) if as_json else text, nl=as_json)


def _training(split: Path | None, fold: int | None) -> tuple[str, ...] | None:
    from edgeseg.data.split import read_split
    from edgeseg.errors import OptionError

    if split is None:
        if fold is not None:
            raise OptionError(f"--fold {fold} was given without --split; add --split FILE")
        return None
    return read_split(split).training(fold or 0)


def _checkpoints(given: list[Path] | None, named: list[str] | None) -> list[Checkpoint]:
    """Read the weights, and refuse two that would be recorded in one place."""
    from edgeseg.checkpoint import read_checkpoint
    from edgeseg.errors import OptionError
    from edgeseg.networks import get
    from edgeseg.stages.calibrate import ranges_name

    if given and named:
        raise OptionError("--checkpoint and --network both say which weights are meant; leave one of them out")
    paths = given or [get(name).weights for name in named or []] or _all()
    found = [read_checkpoint(path) for path in paths]
    names = [ranges_name(checkpoint) for checkpoint in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise OptionError(f"two checkpoints hold weights of '{twice[0]}', which has one place; give one of them")
    return found


def _all() -> list[Path]:
    """Return the weights of the networks whose ranges are kept where they would be written, or else all that ship."""
    from edgeseg.artifacts import own_home
    from edgeseg.errors import OptionError
    from edgeseg.networks import every

    there = [one for one in every() if one.has_weights]
    if not there:
        raise OptionError("no weights ship with this edgeseg; give a run of 'edgeseg train' with --checkpoint")
    return [one.weights for one in there if one.home == own_home()] or [one.weights for one in there]
