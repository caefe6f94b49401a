"""A network that somebody else trained, before it is compressed: whom it is trained on, and on what images."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.split import make_folds
from edgeseg.errors import CheckpointError, SplitError
from edgeseg.place import keys_for
from edgeseg.specs import NORMALISATIONS, Chain, ChannelPrune, recipe_name, seen_among
from edgeseg.stages.train import check_fed

BATCH_SLICES = 8
"""Of whole slices, which are larger than the crops that edgeseg's own networks are trained on."""
_FOLDS = 5


def taken_over(parent: Checkpoint, chain: Chain, cache: SliceCache) -> Checkpoint:
    """Return a network with the patients that it will be fine-tuned on, and how, since its file says neither.

    The patients are dealt as `edgeseg train` deals them for its first fold: a fifth validate and may be scored
    afterwards, all others train. Whom the file names as seen trains in any case.

    Args:
        parent: an imported run, or one that was compressed already and keeps its patients.
        chain: what is asked for; its first step's seed deals.
        cache: the patients.

    Raises:
        CheckpointError: for a recipe that cannot be applied to it, or a network that came from ONNX.
        OptionError: for a contract that training batches cannot follow.
        SplitError: when nobody is left to validate on.
    """
    header, record = parent.header, parent.header.foreign
    assert record is not None
    _check(parent, chain)
    check_fed(record.contract)
    train, validation = header.train_patients, header.validation_patients
    if not train:
        split = make_folds(cache, folds=min(_FOLDS, len(cache.patients)), seed=chain.steps[0].seed)
        entries = record.contract.seen_patients
        seen = set(seen_among(cache.patients, entries, keys_for(entries)))
        train = tuple(sorted({*split.training(0), *seen}))
        validation = tuple(patient for patient in split.validation(0) if patient not in seen)
        if not validation:
            raise SplitError(
                f"{record.file} names all {len(split.validation(0))} patients that would validate as seen; give "
                "the data of further patients"
            )
    asked = record.contract.normalisation
    spec = replace(
        header.train,
        crop_px=min(cache.index.height, cache.index.width),
        batch_size=BATCH_SLICES,
        normalisation=asked if asked in NORMALISATIONS else NORMALISATIONS[0],
    )
    return replace(parent, header=replace(header, train=spec, train_patients=train, validation_patients=validation))


def _check(parent: Checkpoint, chain: Chain) -> None:
    record = parent.header.foreign
    assert record is not None
    others = [recipe_name(step) for step in chain.steps if not isinstance(step, ChannelPrune)]
    if others:
        raise CheckpointError(
            f"'{others[0]}' cannot be applied to {record.file}, which was not trained here: TensorFlow Model "
            "Optimization and students need one of edgeseg's own networks. Take --channel-prune, teach one of them "
            "with edgeseg train --teacher, or quantize it with edgeseg build --target tflite-int8 --max-drop 0.005"
        )
    if not record.architecture:
        raise CheckpointError(
            f"{record.file} came as {record.kind}, and channels are taken out of Keras networks alone: their layers "
            "say which channels leave together. Give the Keras file that it was exported from, teach one of edgeseg's "
            "networks with it (edgeseg train --teacher), or quantize it (edgeseg build --target tflite-int8)"
        )
