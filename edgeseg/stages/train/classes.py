"""What a training on several classes cannot do yet, and what it cannot start from."""

from __future__ import annotations

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import CheckpointError, OptionError
from edgeseg.specs import TrainSpec


def check_classes(classes: tuple[str, ...], spec: TrainSpec, initial: Checkpoint | None) -> None:
    """Refuse what a training on these classes, none for one mask, cannot be asked for.

    Raises:
        OptionError: for options that work on one mask.
        CheckpointError: when the weights to start from draw others.
    """
    before = classes if initial is None else initial.header.image.classes
    if before != classes and initial is not None:
        raise CheckpointError(
            f"{initial.path} draws {', '.join(before) or 'one mask'}, and the data's masks are of "
            f"{', '.join(classes) or 'one class'}; start from weights of the same classes, or choose with --labels"
        )
    if not classes:
        return
    asked = (
        ("--teacher", bool(spec.teachers)),
        ("--paste-share", spec.paste_share > 0),
        ("--augment-on device", spec.augment_on == "device"),
        ("--from a network that was not trained here", initial is not None and initial.header.foreign is not None),
    )
    for option, given in asked:
        if given:
            raise OptionError(
                f"{option} works on one mask, and this data has {len(classes)} classes ({', '.join(classes)}); leave "
                "it out, or choose one class with --labels"
            )
