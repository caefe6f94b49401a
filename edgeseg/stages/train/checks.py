"""What a training cannot be asked for: split, place and classes."""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import CheckpointError, OptionError, SplitError
from edgeseg.specs import TrainSpec


def check_classes(classes: tuple[str, ...], initial: Checkpoint | None) -> None:
    """Refuse to train on these classes, none for one mask, from weights that draw others.

    Raises:
        CheckpointError: naming both.
    """
    before = classes if initial is None else initial.header.image.classes
    if before != classes and initial is not None:
        raise CheckpointError(
            f"{initial.path} draws {', '.join(before) or 'one mask'}, and the data's masks are of "
            f"{', '.join(classes) or 'one class'}; start from weights of the same classes, or choose with --labels"
        )


def check_sides(train_patients: tuple[str, ...], validation_patients: tuple[str, ...]) -> None:
    """Refuse a split with a patient on both sides, or with an empty one.

    Raises:
        SplitError: naming the first patient, or the side.
    """
    if both := sorted(set(train_patients) & set(validation_patients)):
        raise SplitError(
            f"{len(both)} patients stand on both sides of the split, {both[0]} first; a split is by patient"
        )
    for side, patients in (("training", train_patients), ("validation", validation_patients)):
        if not patients:
            raise SplitError(f"the {side} side of the split is empty; at least one patient is needed on each")


def check_place(spec: TrainSpec, backend: str, *, devices: int) -> None:
    """Refuse to augment on a device where batches cannot be made.

    Raises:
        OptionError: with what to give.
    """
    if spec.augment_on == "device" and (backend != "jax" or devices > 1):
        advice = "--devices 1" if backend == "jax" else "--backend jax"
        raise OptionError(
            f"augmenting on the device runs on one device of the jax backend, and this training has {devices} of "
            f"{backend}; leave out --augment-on, or give {advice}"
        )
