"""The main job for each fold of a cross-validation, and what all folds together say of every patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg import artifacts
from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.open import open_dataset
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.results import BuildResult
from edgeseg.specs import BuildSpec
from edgeseg.stages import report
from edgeseg.stages.fold_folders import fold_folders
from edgeseg.stages.pool import pooled

Build = Callable[[Sequence[BuildSpec]], BuildResult]


def fold_specs(specs: Sequence[BuildSpec]) -> tuple[tuple[BuildSpec, ...], ...]:
    """Lay out a build for each fold, in `<out>/fold0`, `<out>/fold1` ...; none where no checkpoint holds folds.

    Args:
        specs: as for `build_matrix`; their checkpoints are folders of folds, all of them or none.

    Raises:
        OptionError: when only some hold folds, or not the same ones.
        CheckpointError: when the weights of a fold cannot be read.
    """
    folders = [fold_folders(spec.checkpoint) if spec.checkpoint is not None else () for spec in specs]
    names = [[folder.name for folder in found] for found in folders]
    for spec, own in zip(specs, names, strict=True):
        if own != names[0]:
            raise OptionError(
                f"{specs[0].checkpoint} holds {_said(names[0])} and {spec.checkpoint} {_said(own)}; folds are built "
                "side by side, so give runs that hold the same ones"
            )
    return tuple(
        tuple(_of_fold(spec, folder) for spec, folder in zip(specs, of_fold, strict=True))
        for of_fold in zip(*folders, strict=True)
    )


def build_folds(folds: Sequence[Sequence[BuildSpec]], build: Build) -> BuildResult:
    """Build each fold, and bring them together in the folder that holds them.

    Leaves in each fold's folder what `build_matrix` leaves, and above them a `build.json`, `report.md` and
    `report.json` over all patients; see `pool.pooled`.

    Args:
        folds: of `fold_specs`.
        build: `build_matrix`, with what it is to call.

    Raises:
        OptionError: when no data is given, or seen patients are allowed.
        DatasetError: when a patient would be scored in two folds; before anything is built.
        EdgeSegError: as `build_matrix`.
    """
    _check_once(folds)
    result = pooled([build(specs) for specs in folds])
    out = folds[0][0].out.parent
    report.write_report(result, out)
    artifacts.write_text(out / report.BUILD_FILE, to_json(result) + "\n")
    return result


def _of_fold(spec: BuildSpec, folder: Path) -> BuildSpec:
    """Each fold has widths of its own where channels were removed; any other difference is found when it is opened."""
    own = read_checkpoint(folder).header.variant
    variant = own if replace(own, widths=()) == replace(spec.variant, widths=()) else spec.variant
    return replace(spec, checkpoint=folder, variant=variant, out=spec.out / folder.name)


def _check_once(folds: Sequence[Sequence[BuildSpec]]) -> None:
    spec = folds[0][0]
    if spec.data is None:
        raise OptionError("folds are scored on the patients that each holds out; give the data of these with --data")
    if spec.allow_seen:
        raise OptionError("--allow-seen would score every patient in every fold; leave it out, or build one fold")
    patients, met = open_dataset(spec.data).patients, dict[str, str]()
    for specs in folds:
        fold = specs[0].out.name
        learned = {p for one in specs if one.checkpoint for p in read_checkpoint(one.checkpoint).header.train_patients}
        for patient in sorted(set(patients) - learned):
            if patient in met:
                raise DatasetError(
                    f"{patient} would be scored by {met[patient]} and by {fold}, since neither learned from them; a "
                    "patient is scored once, so give the data that the folds were trained on"
                )
            met[patient] = fold


def _said(names: Sequence[str]) -> str:
    return ", ".join(names) or "no folds"
