"""What a compression cannot be asked for, its place and its data; and what is to be said of what it made."""

from __future__ import annotations

from pathlib import Path

from edgeseg.checkpoint import Checkpoint, CheckpointHeader
from edgeseg.data.cache import SliceCache
from edgeseg.errors import CheckpointError, DatasetError, OutputError, SplitError
from edgeseg.stages.train import holds_run, refuse_folds

STEPS = "steps"
"""The folder in a run that holds what each recipe left."""


def check_place(out: Path, *, resume: bool) -> None:
    """Refuse a folder that holds a run already, or holds none to go on with; see `compress`.

    Raises:
        CheckpointError: when `resume` finds no compression.
        OutputError: when a run is there and `resume` was not asked for, or folds are.
    """
    if resume and not (out / STEPS).is_dir():
        raise CheckpointError(f"{out} holds no compression to go on with; give its folder, or leave out --resume")
    if not resume and ((out / STEPS).exists() or holds_run(out)):
        raise OutputError(f"{out} already holds a run; go on with --resume, or choose another --out")
    refuse_folds(out)


def check_classes(header: CheckpointHeader, cache: SliceCache) -> None:
    """Refuse masks of other classes than a network draws; their order is that of its logits.

    Raises:
        DatasetError: naming both.
    """
    if header.image.classes != cache.classes:
        said = f"masks of {', '.join(cache.classes)}" if cache.classes else "masks of tumour alone"
        raise DatasetError(
            f"the network draws {', '.join(header.image.classes) or 'one mask'}, and {cache.name} has {said}; give the "
            "data that it was trained on, with the same --labels, whose regions stand in this order"
        )


def check_data(header: CheckpointHeader, cache: SliceCache) -> None:
    """Refuse data of other channels than a network takes, or that lacks one of its patients.

    Raises:
        DatasetError: for the channels.
        SplitError: for the patients.
    """
    if header.foreign is None and header.image.channels != cache.channels.names:
        raise DatasetError(
            f"the network takes the channels {', '.join(header.image.channels)}, and {cache.name} has "
            f"{', '.join(cache.channels.names)}; give the data that it was trained on"
        )
    wanted = (*header.train_patients, *header.validation_patients)
    if missing := sorted(set(wanted) - set(cache.patients)):
        raise SplitError(
            f"{len(missing)} of the {len(wanted)} patients that the weights were trained and validated on are not in "
            f"the data, {missing[0]} first; give the data that they were trained on"
        )


def widened_note(parent: Checkpoint, made: Checkpoint, recipe: str) -> tuple[str, ...]:
    """Say where weights that were kept in 16 bits are no longer: a recipe makes others, in 32."""
    if not parent.header.in_half or made.header.in_half:
        return ()
    return (
        f"the weights given were kept in 16 bits, and those of '{recipe}' take 32, so their file is about "
        "twice as large; for 16 again: apply 'half' last",
    )
