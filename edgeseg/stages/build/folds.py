"""The main job for each fold of a cross-validation, and what all folds together say of every patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from edgeseg import artifacts
from edgeseg.artifacts import BUILD_FILE
from edgeseg.checkpoint import read_checkpoint
from edgeseg.errors import DatasetError, OptionError
from edgeseg.jsonio import to_json
from edgeseg.results import BuildResult
from edgeseg.specs import BuildSpec
from edgeseg.stages.build.folder import write_report
from edgeseg.stages.build.inputs import open_data, open_inputs
from edgeseg.stages.build.pool import pooled
from edgeseg.stages.choose import caveat, choice_beside, choice_for, read_choice
from edgeseg.stages.folds import FoldRun, find_runs
from edgeseg.stages.predict import name_patients
from edgeseg.stages.train import fold_folders

Build = Callable[[Sequence[BuildSpec]], BuildResult]


def fold_specs(specs: Sequence[BuildSpec]) -> tuple[tuple[BuildSpec, ...], ...]:
    """Lay out a build for each fold, in `<out>/fold0`, `<out>/fold1` ...; none where no checkpoint holds folds.

    Args:
        specs: as for `build_matrix`; their checkpoints are folders of folds, all of them or none.

    Raises:
        OptionError: when only some hold folds, or not the same ones, or what is asked for cannot be done over folds.
        CheckpointError: when folds cannot be read, are not finished, or do not belong together.
    """
    names = [[folder.name for folder in fold_folders(spec.checkpoint)] if spec.checkpoint else [] for spec in specs]
    for spec, own in zip(specs, names, strict=True):
        if own != names[0]:
            raise OptionError(
                f"{specs[0].checkpoint} holds {_said(names[0])} and {spec.checkpoint} {_said(own)}; folds are built "
                "side by side, so give runs that hold the same ones"
            )
    if not names[0]:
        return ()
    runs = [find_runs(spec.checkpoint) for spec in specs if spec.checkpoint]
    specs = [_with_choice(spec, own) for spec, own in zip(specs, runs, strict=True)]
    return tuple(
        tuple(_of_fold(spec, own[0], run) for spec, own, run in zip(specs, runs, of_fold, strict=True))
        for of_fold in zip(*runs, strict=True)
    )


def build_folds(folds: Sequence[Sequence[BuildSpec]], build: Build) -> BuildResult:
    """Build each fold, and bring them together in the folder that holds them.

    Leaves in each fold's folder what `build_matrix` leaves, and above them a `build.json`, `report.md` and
    `report.json` over all patients; see `pool.pooled`.

    Args:
        folds: of `fold_specs`.
        build: `build_matrix`, with what it is to call.

    Raises:
        OptionError: when no data is given, or what is asked for cannot be done over folds.
        DatasetError: when a patient would be scored in no fold or in two.
        EdgeSegError: as `build_matrix`; bad input of any fold before the first is built.
    """
    _check_options(folds)
    for of_variant in zip(*folds, strict=True):
        _check_once(of_variant)
    for spec in (spec for specs in folds for spec in specs):
        open_inputs(spec)
    result = pooled({specs[0].out.name: build(specs) for specs in folds})
    result = replace(result, operating_point=_caveat(folds[0][0], result))
    out = folds[0][0].out.parent
    write_report(result, out)
    artifacts.write_text(out / BUILD_FILE, to_json(result) + "\n")
    return result


def _with_choice(spec: BuildSpec, runs: tuple[FoldRun, ...]) -> BuildSpec:
    """Take the choice that lies in the folder of folds, where none was given and all folds are of one network."""
    assert spec.checkpoint is not None
    slugs = {run.checkpoint.header.variant.slug for run in runs}
    if spec.choice is not None or len(slugs) > 1:
        return spec
    found = choice_for(spec.checkpoint, variant=slugs.pop(), weights_sha256=runs[0].sha256)
    return spec if found is None else replace(spec, choice=choice_beside(spec.checkpoint))


def _of_fold(spec: BuildSpec, first: FoldRun, run: FoldRun) -> BuildSpec:
    """Each fold has widths of its own where channels were removed; a variant that was asked for by name stays."""
    named = spec.variant != first.checkpoint.header.variant
    variant = spec.variant if named else run.checkpoint.header.variant
    return replace(spec, checkpoint=run.folder, variant=variant, out=spec.out / run.folder.name)


def _check_options(folds: Sequence[Sequence[BuildSpec]]) -> None:
    spec = folds[0][0]
    if spec.data is None:
        raise OptionError("folds are scored on the patients that each holds out; give the data of these with --data")
    if spec.allow_seen:
        raise OptionError("--allow-seen would score every patient in every fold; leave it out, or build one fold")
    if spec.max_drop is not None:
        raise OptionError("--max-drop searches for one network, and each fold has its own; build one fold with it")
    for specs in folds:
        slugs = [one.variant.slug for one in specs]
        if len(set(slugs)) < len(slugs):
            raise OptionError(f"two of the runs hold the same network in {specs[0].out.name}; leave one of them out")
    if spec.choice is not None and len({specs[0].variant for specs in folds}) > 1:
        raise OptionError(
            f"{spec.choice} was chosen for one network, and these folds have widths of their own; leave out --choice"
        )


def _check_once(folds: Sequence[BuildSpec]) -> None:
    """Refuse data with a patient whom not exactly one fold of a training holds out."""
    first = folds[0]
    assert first.data is not None
    patients = open_data(first, first.data).patients
    scored: dict[str, list[str]] = {patient: [] for patient in patients}
    for spec in folds:
        assert spec.checkpoint is not None
        learned = set(name_patients(read_checkpoint(spec.checkpoint), patients).header.train_patients)
        for patient in set(patients) - learned:
            scored[patient].append(spec.out.name)
    if odd := [(patient, places) for patient, places in scored.items() if len(places) != 1]:
        patient, places = odd[0]
        why = f"{' and '.join(places)} would score them" if places else "every fold learned from them"
        raise DatasetError(
            f"{len(odd)} of the {len(patients)} patients of {first.data} are not held out by exactly one of "
            f"{_said([spec.out.name for spec in folds])}: {patient} first, {why}. Give all folds of one training, and "
            "the data that they were trained on"
        )


def _caveat(spec: BuildSpec, result: BuildResult) -> str | None:
    """Say of all patients together what a choice made on them is worth."""
    if spec.choice is None:
        return None
    scored = next(row.evaluation for row in result.artifacts if row.evaluation is not None)
    choice = read_choice(spec.choice, variant=spec.variant.slug)
    return caveat(choice, (score.patient for score in scored.patients))


def _said(names: Sequence[str]) -> str:
    return ", ".join(names) or "no folds"
