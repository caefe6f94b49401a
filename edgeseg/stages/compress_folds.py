"""The same chain of compression recipes for the network of every fold of a cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgeseg.checkpoint import read_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.results import CompressResult, FoldCompression, FoldsCompressResult
from edgeseg.specs import Chain
from edgeseg.stages.compress import STEPS, OnStep, check_place, compress
from edgeseg.stages.train_loop import OnProgress


def compress_folds(
    folders: Sequence[Path],
    chain: Chain,
    cache: SliceCache,
    *,
    out: Path,
    resume: bool = False,
    validate_every: int = 5,
    progress: OnProgress | None = None,
    on_step: OnStep | None = None,
    on_fold: Callable[[Path], None] | None = None,
) -> FoldsCompressResult:
    """Apply recipes to the run in each folder, and leave runs in `out/fold0`, `out/fold1` ...

    Args:
        folders: of `fold_folders`.
        chain: the recipes.
        cache: decoded slices that hold the patients of the runs.
        out: folder of the new runs.
        resume: keep folds that are done, go on with the one that is not, and start the others.
        validate_every: as for `compress`.
        progress: as for `compress`.
        on_step: as for `compress`.
        on_fold: called with the folder of a fold before its network is compressed.

    Raises:
        OutputError: when a fold stands in `out` and `resume` was not asked for; before anything is compressed.
        EdgeSegError: as `compress`.
    """
    parents = [read_checkpoint(folder) for folder in folders]
    places = [out / folder.name for folder in folders]
    if not resume:
        for place in places:
            check_place(place, resume=False)
    found = []
    for parent, place in zip(parents, places, strict=True):
        if on_fold is not None:
            on_fold(place)
        result = compress(
            parent,
            chain,
            cache,
            out=place,
            resume=(place / STEPS).is_dir(),
            validate_every=validate_every,
            progress=progress,
            on_step=on_step,
        )
        held_out = len(parent.header.validation_patients)
        found.append(FoldCompression(fold=place.name, patients=held_out, result=result))
    return FoldsCompressResult(
        folds=tuple(found),
        patients=sum(fold.patients for fold in found),
        dice_mean_before=_over_all(found, lambda result: result.given.dice_mean),
        dice_mean_after=_over_all(found, lambda result: result.steps[-1].size.dice_mean),
    )


def _over_all(folds: Sequence[FoldCompression], dice: Callable[[CompressResult], float]) -> float:
    """Return the mean over patients, which the folds hold out unequal numbers of."""
    return sum(dice(fold.result) * fold.patients for fold in folds) / sum(fold.patients for fold in folds)
