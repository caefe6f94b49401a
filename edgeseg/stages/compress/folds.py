"""The same chain of compression recipes for the network of every fold of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edgeseg.checkpoint import read_checkpoint, weights_path
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError
from edgeseg.place import holding_out
from edgeseg.results import ClassCompression, CompressResult, FoldCompression, FoldsCompressResult
from edgeseg.specs import Chain, Distil, refuse_learned
from edgeseg.stages.compress.checks import STEPS, check_place
from edgeseg.stages.compress.compress import OnStep, compress
from edgeseg.stages.folds import FoldRun
from edgeseg.stages.predict import name_patients
from edgeseg.stages.train import OnTraining, of_fold


@holding_out
def compress_folds(
    runs: Sequence[FoldRun],
    chain: Chain,
    cache: SliceCache,
    *,
    out: Path,
    resume: bool = False,
    validate_every: int = 5,
    progress: OnTraining | None = None,
    on_step: OnStep | None = None,
    on_fold: Callable[[Path], None] | None = None,
) -> FoldsCompressResult:
    """Apply recipes to the run in each folder, and leave runs in `out/fold0`, `out/fold1` ...

    Args:
        runs: of `find_runs`, in folders that are named by their folds.
        chain: the recipes; of a teacher that holds folds itself, each fold takes its own.
        cache: decoded slices that hold the patients of the runs.
        out: folder of the new runs.
        resume: keep folds that are done, go on with the one that is not, and start the others.
        validate_every: as for `compress`.
        progress: as for `compress`.
        on_step: as for `compress`.
        on_fold: called with the folder of a fold before its network is compressed.

    Raises:
        OutputError: when a run stands in the place of a fold and `resume` was not asked for; before anything is done.
        CheckpointError: when `resume` finds nothing to go on with.
        SeenPatientError: when a teacher learned from a patient whom a fold holds out; before anything is done.
        EdgeSegError: as `compress`.
    """
    places = [out / run.folder.name for run in runs]
    begun = [(place / STEPS).is_dir() for place in places]
    if resume and not any(begun):
        raise CheckpointError(
            f"{out} holds no compression of folds to go on with; give its folder, or leave out --resume"
        )
    for place, gone_on in zip(places, begun, strict=True):
        check_place(place, resume=resume and gone_on)
    chains = [_of_fold(chain, place.name) for place in places]
    for run, own in zip(runs, chains, strict=True):
        _check_teachers(run, own)
    found = []
    for run, own, place, gone_on in zip(runs, chains, places, begun, strict=True):
        if on_fold is not None:
            on_fold(place)
        result = compress(
            run.checkpoint,
            own,
            cache,
            out=place,
            resume=gone_on,
            validate_every=validate_every,
            progress=progress,
            on_step=on_step,
        )
        found.append(FoldCompression(fold=place.name, patients=len(run.patients), result=result))
    return FoldsCompressResult(
        folds=tuple(found),
        patients=sum(fold.patients for fold in found),
        dice_mean_before=_over_all(found, lambda result: result.given.dice_mean),
        dice_mean_after=_over_all(found, lambda result: result.steps[-1].size.dice_mean),
        classes=tuple(_of_class(found, place) for place in range(len(found[0].result.given.classes))),
    )


def _of_class(folds: Sequence[FoldCompression], place: int) -> ClassCompression:
    return ClassCompression(
        name=folds[0].result.given.classes[place].name,
        dice_mean_before=_over_all(folds, lambda result: result.given.classes[place].dice_mean),
        dice_mean_after=_over_all(folds, lambda result: result.steps[-1].size.classes[place].dice_mean),
    )


def _of_fold(chain: Chain, fold: str) -> Chain:
    """Give each fold its own teachers, which have not seen the patients held out either."""
    return replace(
        chain,
        steps=tuple(
            replace(step, teachers=tuple(str(of_fold(Path(run), fold)) for run in step.teachers))
            if isinstance(step, Distil)
            else step
            for step in chain.steps
        ),
    )


def _check_teachers(run: FoldRun, chain: Chain) -> None:
    """Refuse a teacher that learned from a patient whom the fold holds out."""
    for path in (path for step in chain.steps if isinstance(step, Distil) for path in step.teachers):
        refuse_learned(
            f"the teacher {path}",
            name_patients(read_checkpoint(weights_path(Path(path))), run.patients).header.train_patients,
            run.patients,
            are=f"patient(s) whom {run.folder.name} holds out",
            advice="; give the folder of the teacher's own folds, on the same split",
        )


def _over_all(folds: Sequence[FoldCompression], dice: Callable[[CompressResult], float]) -> float:
    """Return the mean over patients, which the folds hold out unequal numbers of."""
    return sum(dice(fold.result) * fold.patients for fold in folds) / sum(fold.patients for fold in folds)
