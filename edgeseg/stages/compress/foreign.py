"""A network that somebody else trained, before it is compressed: whom it is trained on, and on what images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgeseg.backend import load_keras
from edgeseg.checkpoint import Checkpoint
from edgeseg.data.cache import SliceCache
from edgeseg.data.split import make_folds
from edgeseg.errors import CheckpointError, SplitError
from edgeseg.foreign import check_fed
from edgeseg.place import keys_for
from edgeseg.recipes.wrapped import unwrapped
from edgeseg.specs import (
    HALF,
    NORMALISATIONS,
    Chain,
    ChannelPrune,
    Cluster,
    Distil,
    Equalize,
    FineTune,
    Half,
    Prune,
    Qat,
    recipe_name,
    seen_among,
)
from edgeseg.stages.predict import network_of
from edgeseg.targets import explicit

BATCH_SLICES = 8
"""Of whole slices, which are larger than the crops that edgeseg's own networks are trained on."""
_FOLDS = 5
_SHOWN = 5
STUDENT, STUDENT_STEM = "alphax", "half"
"""Which of edgeseg's networks is taught where none is named."""


def taken_over(parent: Checkpoint, chain: Chain, cache: SliceCache) -> Checkpoint:
    """Return a network with the patients that it will be fine-tuned on, and how, since its file says neither.

    The patients are dealt as `edgeseg train` deals them for its first fold: a fifth validate and may be scored
    afterwards, all others train. Whom the file names as seen trains in any case.

    Args:
        parent: an imported run, or one that was compressed already and keeps its patients.
        chain: what is asked for; its first step's seed deals.
        cache: the patients.

    Returns:
        The network; one that came from ONNX as one of Keras, whose kernels can be counted.

    Raises:
        CheckpointError: for a recipe that cannot be applied to it.
        OptionError: for a contract that training batches cannot follow.
        SplitError: when nobody is left to validate on.
    """
    header, record = parent.header, parent.header.foreign
    assert record is not None
    _check(parent, chain)
    check_fed(record.contract, cache.channels.names)
    train, validation = header.train_patients, header.validation_patients
    if not train:
        seed = next(step.seed for step in chain.steps if isinstance(step, FineTune | Equalize))
        split = make_folds(cache, folds=min(_FOLDS, len(cache.patients)), seed=seed)
        entries = record.contract.seen_patients
        seen = set(seen_among(cache.patients, entries, keys_for(entries)))
        train = tuple(sorted({*split.training(0), *seen}))
        validation = tuple(patient for patient in split.validation(0) if patient not in seen)
        if not validation:
            raise SplitError(
                f"{record.file} names all {len(split.validation(0))} patients that would validate as seen; give "
                "the data of further patients"
            )
    if not record.architecture:
        parent = written_out(parent, quantized=False)
        header = parent.header
    asked = record.contract.normalisation
    spec = replace(
        header.train,
        crop_px=min(cache.index.height, cache.index.width),
        batch_size=BATCH_SLICES,
        normalisation=asked if asked in NORMALISATIONS else NORMALISATIONS[0],
    )
    return replace(parent, header=replace(header, train=spec, train_patients=train, validation_patients=validation))


def written_out(parent: Checkpoint, *, quantized: bool) -> Checkpoint:
    """Return a network as what TensorFlow Model Optimization is to train: one of Keras, whatever file it came as.

    Args:
        parent: a network whose layers can be trained so.
        quantized: whether it is to have one operation a layer, as int8 has.
    """
    header, record = parent.header, parent.header.foreign
    assert record is not None
    model = _form(parent, quantized=quantized)
    arrays = {weight.path: np.asarray(weight, np.float32) for weight in model.weights}
    return replace(parent, header=replace(header, foreign=replace(record, architecture=model.to_json())), arrays=arrays)


def _form(parent: Checkpoint, *, quantized: bool) -> Any:
    model = network_of(parent)
    return explicit(model) if quantized else model


def _check(parent: Checkpoint, chain: Chain) -> None:
    record = parent.header.foreign
    assert record is not None
    for step in chain.steps:
        if isinstance(step, Distil):
            raise CheckpointError(
                f"'distil' makes a network of edgeseg's own, and {record.file} is none; let it teach one: "
                f"{_teaching(parent, step)}"
            )
        if isinstance(step, Half):
            raise CheckpointError(
                f"'{HALF}' keeps the weights of edgeseg's own networks in 16 bits, and {record.file} stays the file "
                "that it was; build it with half precision inside: edgeseg build --target tflite-fp16,onnx-fp16"
            )
        if not record.architecture and isinstance(step, ChannelPrune):
            raise CheckpointError(
                f"{record.file} came as {record.kind}, and channels are taken out of Keras networks alone: their "
                "layers say which channels leave together. Give the Keras file that it was exported from, teach one "
                "of edgeseg's networks with it (edgeseg train --teacher), or quantize it (edgeseg build --target "
                "tflite-int8)"
            )
        if isinstance(step, Equalize) and record.not_keras:
            raise CheckpointError(
                f"'{recipe_name(step)}' cannot be applied to {record.file}: it stays an ONNX graph "
                f"({record.not_keras}); quantize it with edgeseg build --target onnx-int8 --max-drop 0.005"
            )
        if isinstance(step, Prune | Cluster | Qat):
            _check_layers(parent, recipe_name(step), quantized=isinstance(step, Qat))


def _check_layers(parent: Checkpoint, recipe: str, *, quantized: bool) -> None:
    """Refuse a network with layers that TensorFlow Model Optimization cannot train."""
    record = parent.header.foreign
    assert record is not None
    if record.not_keras:
        why = f"it stays an ONNX graph ({record.not_keras})"
    else:
        load_keras()
        layers = unwrapped(_form(parent, quantized=quantized), quantized=quantized)
        if not layers:
            return
        shown = [f"'{name}' is {what}" for name, what in layers.items()]
        more = f", and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        why = f"{', '.join(shown[:_SHOWN])}{more}"
    prune = "take --channel-prune, " if record.architecture else ""
    raise CheckpointError(
        f"'{recipe}' cannot be applied to {record.file}, since TensorFlow Model Optimization cannot train it: {why}; "
        f"{prune}teach one of edgeseg's networks with it ({_teaching(parent, Distil())}), or quantize it with edgeseg "
        "build --target tflite-int8,onnx-int8 --max-drop 0.005"
    )


def _teaching(parent: Checkpoint, student: Distil) -> str:
    """The command that lets a network teach one of edgeseg's own."""
    name, stem = student.variant or STUDENT, student.stem or STUDENT_STEM
    return (
        f"edgeseg train --data DIR --teacher {parent.path.parent} --variant {name} --alpha {student.alpha:g} "
        f"--stem {stem} --distil-weight {student.distil_weight:g} --out DIR"
    )
