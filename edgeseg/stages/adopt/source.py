"""The copy of somebody's file that a run keeps: the reference and the baseline of every comparison."""

from __future__ import annotations

import shutil
from pathlib import Path

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import ArtifactError, CheckpointError
from edgeseg.foreign import OriginalPredictor, open_original, source_files
from edgeseg.stages.predict import checkpoint_contract

SOURCE = "source"
"""The folder in a run that holds it."""


def copy_source(path: Path, run: Path) -> Path:
    """Copy a network's files, or the folder of a SavedModel, into a run that is being made."""
    place = run / SOURCE / path.name
    root = path if path.is_dir() else path.parent
    for file in source_files(path):
        target = (place if path.is_dir() else place.parent) / file.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return place


def copy_original(checkpoint: Checkpoint, run: Path) -> None:
    """Copy the file that a run was made of into another run, which is made of that run.

    Raises:
        ArtifactError: when the run lacks it.
    """
    if not (place := checkpoint.path.parent / SOURCE).is_dir():
        raise ArtifactError(
            f"{place} is missing, where the file lies that {checkpoint.path} was imported from; give the whole run "
            "folder that 'edgeseg import' wrote"
        )
    shutil.copytree(place, run / SOURCE, dirs_exist_ok=True)


def original_of(checkpoint: Checkpoint, *, threads: int = 2) -> OriginalPredictor:
    """Open the file that a run was made of, in its own runtime.

    Raises:
        CheckpointError: when the network is one of edgeseg's own.
        ArtifactError: when the copy is missing, changed, or cannot be run.
    """
    record = checkpoint.header.foreign
    if record is None:
        raise CheckpointError(f"{checkpoint.path} holds a network of edgeseg's own, which no other file stands behind")
    place = checkpoint.path.parent / SOURCE / record.file
    return open_original(place, record, checkpoint_contract(checkpoint.header), threads=threads)
