"""A checkpoint as a predictor: what every stage that scores trained weights before any conversion runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgeseg.backend import running_keras
from edgeseg.checkpoint import Checkpoint, CheckpointHeader, check_weights, load_weights
from edgeseg.data.kaggle_lgg import LICENCE
from edgeseg.data.volume import KAGGLE_LGG, PHANTOM
from edgeseg.foreign import rebuild
from edgeseg.place import key_for
from edgeseg.runtime import Segmenter
from edgeseg.specs import Contract, OperatingPoint, own_regions, seen_entries
from edgeseg.targets import KerasPredictor, float_predictor, get
from edgeseg.variants import build_model
from edgeseg.variants.tiers import tier_of


def checkpoint_contract(header: CheckpointHeader, target: str = "keras-fp32", *, public_ids: bool = False) -> Contract:
    """Return what a checkpoint's header says to a device, for one target, before any calibration or choice.

    Patients stand in it as `edgeseg.specs.seen_entries` has them; with `public_ids` all as plain digests.

    Raises:
        OptionError: when the site's patient key is damaged.
        OutputError: when it is needed for the first time and cannot be made.
        UnknownNameError: for an unknown target.
    """
    found, learned = get(target), header.train_patients
    if header.foreign is not None:
        theirs = replace(header.foreign.contract, target=found.name, layout=found.layout)
        if not learned:
            return theirs
        entries = seen_entries(learned, key=None if public_ids else key_for(learned))
        seen = tuple(sorted({*theirs.seen_patients, *entries}))
        return replace(theirs, seen_patients=seen, training_hash=header.data_hash)
    return Contract(
        variant=header.variant,
        tier=tier_of(header.variant, found.precision),
        target=found.name,
        layout=found.layout,
        channels=header.image.channels,
        height=header.image.height,
        width=header.image.width,
        classes=header.image.classes,
        plane=header.image.plane,
        regions=own_regions(header.image.classes),
        normalisation=header.train.normalisation,
        trained_on=header.data,
        training_hash=header.data_hash,
        licence=LICENCE if header.data in (KAGGLE_LGG, PHANTOM) else None,
        seen_patients=seen_entries(learned, key=None if public_ids else key_for(learned)),
    )


def plain_point(header: CheckpointHeader) -> OperatingPoint:
    """Return the point at which a checkpoint draws where nobody chose one; of an imported one that of its contract."""
    return OperatingPoint() if header.foreign is None else OperatingPoint.of(header.foreign.contract)


def network_of(checkpoint: Checkpoint) -> Any:
    """Return the Keras network of a checkpoint with its weights, on the backend that this process runs.

    One of somebody else that stays an ONNX graph comes as an `edgeseg.targets.graph.GraphNetwork`.

    Raises:
        CheckpointError: when the file holds a state and not weights, or damaged ones.
    """
    header = checkpoint.header
    if header.foreign is not None:
        check_weights(checkpoint, header.variant)
        model = rebuild(header.foreign, checkpoint.arrays, checkpoint.path)
        if not header.foreign.architecture:
            return model
    else:
        model = build_model(header.variant, header.image, running_keras())
    load_weights(model, checkpoint, header.variant)
    return model


def checkpoint_predictor(checkpoint: Checkpoint, *, threads: int | None = 2) -> KerasPredictor | Segmenter:
    """Open weights as a float network.

    Raises:
        CheckpointError: when the file holds a state and not weights, or damaged ones.
    """
    return float_predictor(network_of(checkpoint), checkpoint_contract(checkpoint.header), threads=threads)


def last_step_weights(state: Checkpoint, weights: Checkpoint) -> Checkpoint:
    """Return the weights as the last step left them, not their moving average, from the state of the same run."""
    arrays = {name: state.arrays[f"model/{name}"] for name in weights.arrays}
    return replace(weights, arrays=arrays, path=state.path)
