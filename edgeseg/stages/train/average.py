"""Averaging the weights of trainings that share their beginning: one network with the strengths of each.

Source: Wortsman et al., "Model soups", ICML 2022, and "Robust fine-tuning of zero-shot models", CVPR 2022. It holds for
weights in one basin: a training and what was started from it, not two that began apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg import artifacts
from edgeseg.checkpoint import (
    Checkpoint,
    CheckpointHeader,
    check_weights,
    read_checkpoint,
    refuse_foreign,
    write_checkpoint,
)
from edgeseg.errors import CheckpointError, OptionError, OutputError
from edgeseg.jsonio import to_json
from edgeseg.place import holding_out
from edgeseg.stages.train.run_folder import HISTORY, WEIGHTS, holds_run, read_history, refuse_folds


@holding_out
def average(runs: Sequence[Path], *, out: Path) -> Path:
    """Write a run folder whose weights are the mean of those of other runs, batch statistics included.

    Its learning curve is that of the last run; its header holds those of all.

    Args:
        runs: run folders or weights files of one variant, trained on the same patients; one that is named more than
            once counts as often.
        out: the new run's folder.

    Returns:
        The weights file.

    Raises:
        OptionError: for fewer than two runs.
        CheckpointError: when a run is damaged, or they do not belong together.
        OutputError: when `out` holds a run, or cannot be written.
    """
    if len(runs) < 2:
        raise OptionError(f"{len(runs)} run was given; an average takes two or more")
    parts = [read_checkpoint(run) for run in runs]
    for part in parts:
        check_weights(part, parts[0].header.variant)
        refuse_foreign(part, "averaged")
        _check(part, parts[0])
    if holds_run(out):
        raise OutputError(f"{out} already holds a run; choose another --out")
    refuse_folds(out)
    history = read_history(parts[-1].path.parent)
    header = replace(parts[-1].header, initial=None, parts=tuple(part.header for part in parts), name="")
    arrays = {name: _mean([part.arrays[name] for part in parts]) for name in parts[0].arrays}
    artifacts.write_text(out / HISTORY, to_json(history))
    return write_checkpoint(out / WEIGHTS, header, arrays)


def _check(part: Checkpoint, first: Checkpoint) -> None:
    for what in ("image", "data", "data_hash", "train_patients", "validation_patients"):
        if getattr(part.header, what) != getattr(first.header, what):
            raise CheckpointError(
                f"{part.path} and {first.path} differ in {what.replace('_', ' ')}; "
                "average runs of one fold of one data set"
            )
    if not _related(part.header, first.header):
        raise CheckpointError(
            f"{part.path} and {first.path} began apart, and the mean of such weights is no network; "
            "average a run and what was started from it with 'edgeseg train --from'"
        )


def _related(one: CheckpointHeader, other: CheckpointHeader) -> bool:
    """Whether two runs go back to the same first training."""
    return _first(one) == _first(other)


def _first(header: CheckpointHeader) -> CheckpointHeader:
    while (header.initial is not None and not _began_anew(header)) or header.parts:
        header = header.parts[0] if header.parts else header.initial  # type: ignore[assignment]
    return header


def _began_anew(header: CheckpointHeader) -> bool:
    """Whether these weights were drawn anew, though the header names weights that came before: a student's."""
    return header.recipe is not None and header.recipe.recipe == "distil"


def _mean(arrays: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    mean: NDArray[np.float64] = np.mean(np.stack(arrays), axis=0, dtype=np.float64)
    return mean.astype(np.float32)
