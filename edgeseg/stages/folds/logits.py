"""Logits of the patients that each fold's run held out: computed once, kept in the run's folder."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts, imaging
from edgeseg.backend import running_keras
from edgeseg.checkpoint import Checkpoint, read_checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, DatasetError
from edgeseg.imaging import logits_to_size
from edgeseg.progress import Progress
from edgeseg.specs import FLIPS, Contract, check_flips
from edgeseg.stages.predict import checkpoint_predictor, volume_logits
from edgeseg.stages.train import fold_folders

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class FoldRun:
    """A finished run and the patients that it held out."""

    folder: Path
    checkpoint: Checkpoint
    sha256: str

    @property
    def patients(self) -> tuple[str, ...]:
        """Who was held out."""
        return self.checkpoint.header.validation_patients


def find_runs(out: Path) -> tuple[FoldRun, ...]:
    """Find the runs under a folder: `fold0`, `fold1` ... as 'edgeseg train --folds' makes them, or the folder itself.

    Raises:
        CheckpointError: when there is none, one is not finished or damaged, or they do not belong together.
    """
    if out.is_file():
        raise CheckpointError(
            f"{out} is a file, and the folder of a run is needed; what was trained elsewhere becomes one by "
            "'edgeseg import'"
        )
    folds = fold_folders(out)
    if not folds and not (out / WEIGHTS).is_file():
        raise CheckpointError(
            f"{out} holds neither folds (fold0, fold1 ...) nor {WEIGHTS}; make folds with 'edgeseg train --folds'"
        )
    if folds and (out / WEIGHTS).is_file():
        raise CheckpointError(
            f"{out} holds both {WEIGHTS} of its own and folds; one run or the folds of one training are meant, so put "
            "either elsewhere"
        )
    runs = tuple(map(_open, folds or (out,)))
    _check_together(runs)
    return runs


def _open(folder: Path) -> FoldRun:
    checkpoint = read_checkpoint(folder)
    header = checkpoint.header
    if header.foreign is None and header.epoch < header.train.epochs:
        raise CheckpointError(
            f"{folder} is at epoch {header.epoch} of {header.train.epochs}; finish it with 'edgeseg train --resume'"
        )
    return FoldRun(folder=folder, checkpoint=checkpoint, sha256=artifacts.sha256_file(checkpoint.path))


def _check_together(runs: tuple[FoldRun, ...]) -> None:
    first = runs[0]
    held_out: dict[str, FoldRun] = {}
    for run in runs:
        if _recipe(run) != _recipe(first) or run.checkpoint.header.image != first.checkpoint.header.image:
            raise CheckpointError(
                f"{first.folder} and {run.folder} were trained with other options; folds share all but the patients, "
                "so train them with one 'edgeseg train --folds'"
            )
        for patient in run.patients:
            if patient in held_out:
                raise CheckpointError(
                    f"{patient} was held out by {held_out[patient].folder} and by {run.folder}; folds are disjoint, so "
                    "train them on one split"
                )
            held_out[patient] = run


def _recipe(run: FoldRun) -> tuple[Any, ...]:
    """What folds share; each may have its own seed, teacher and start, and widths where channels were removed."""
    train = run.checkpoint.header.train
    start = None if train.initial is None else "one of its own"
    variant = replace(train.variant, widths=())
    chain = [
        (done.recipe, {k: v for k, v in done.options.items() if k != "teachers"})
        for done in run.checkpoint.header.chain
    ]
    return replace(train, variant=variant, seed=0, teachers=(), distil_weight=0.0, initial=start), chain


def check_data(runs: tuple[FoldRun, ...], cache: SliceCache) -> None:
    """Refuse slices that are not those the runs were trained on.

    Raises:
        DatasetError: when a patient is missing, the slices of the training patients have changed, or they lie in
            another plane than those that a network takes.
    """
    for run in runs:
        header = run.checkpoint.header
        if header.image.plane != cache.index.plane:
            raise DatasetError(
                f"{run.folder} takes {header.image.plane} slices, and {cache.name} was decoded to {cache.index.plane} "
                f"ones; give --plane {header.image.plane}"
            )
        known = (*header.train_patients, *header.validation_patients)
        if missing := sorted(set(known) - set(cache.patients)):
            raise DatasetError(
                f"{len(missing)} of the {len(known)} patients of {run.folder} are not among the {len(cache.patients)} "
                f"of {cache.name}, {missing[0]} among them; give the data that it was trained on with --data"
            )
        if header.foreign is None and cache.content_hash(header.train_patients) != header.data_hash:
            raise DatasetError(
                f"the slices of {cache.name} are not those that {run.folder} was trained on; give that data "
                "with --data, and the --labels that it was trained with"
            )


def held_out_logits(
    run: FoldRun, cache: SliceCache, *, flips: str, progress: Progress | None = None
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give each held-out patient's logits, computing and keeping them when they are not there.

    They are `(N, H, W) float32`, or of R masks `(N, H, W, R)`. They are kept as float16 in `logits-<key>.npz` in the
    run's folder, under a key of the weights, the slices, the flips, and the backend and the code that compute them, so
    that logits of an earlier state are never taken.

    Args:
        run: whose network.
        cache: decoded slices; see `check_data`.
        flips: a key of `predictor.FLIPS`.
        progress: called after each patient, when its logits have been computed or read.

    Raises:
        OptionError: when `flips` is unknown.
        OutputError: when the run's folder cannot be written.
    """
    check_flips(flips)
    path = run.folder / f"logits-{_key(run, cache, flips)}.npz"
    kept, told = _read(path, run.patients), progress or _silent
    if kept is None:
        kept = _computed(run, cache, flips, told)
        with artifacts.staged(path) as temporary:
            np.savez_compressed(temporary, **kept)
        told = _silent
    for done, patient in enumerate(run.patients, start=1):
        told(done, len(run.patients), patient)
        yield patient, kept[patient].astype(np.float32)


def on_grid(reference: NDArray[np.bool_], contract: Contract) -> NDArray[np.bool_]:
    """Bring masks, `(N, h, w) bool`, to the grid of a network that takes another size than the slices have."""
    size = (contract.height, contract.width)
    if reference.shape[1:] == size:
        return reference
    return np.asarray(logits_to_size(reference.astype(np.float32), *size) > 0.5)


def _silent(_done: int, _total: int | None, _patient: str) -> None:
    """Say nothing."""


def _key(run: FoldRun, cache: SliceCache, flips: str) -> str:
    code = (artifacts.source_digest("variants"), artifacts.sha256_file(Path(imaging.__file__)))
    backend = running_keras().backend.backend()
    parts = (run.sha256, cache.content_hash(run.patients), flips, repr(FLIPS[flips]), backend, *code)
    return artifacts.sha256_bytes("\0".join(parts).encode())[:16]


def _read(path: Path, patients: tuple[str, ...]) -> dict[str, Any] | None:
    """Read stored logits by patient, in float16; None where there are none or they are damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            return {patient: stored[patient] for patient in patients}
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
        return None


def _computed(run: FoldRun, cache: SliceCache, flips: str, told: Progress) -> dict[str, Any]:
    predictor = checkpoint_predictor(run.checkpoint)
    logits: dict[str, Any] = {}
    for done, patient in enumerate(run.patients, start=1):
        logits[patient] = volume_logits(predictor, cache.volume(patient), flips=flips).astype(np.float16)
        told(done, len(run.patients), patient)
    return logits
