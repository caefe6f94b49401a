"""The one way from slices to logits: artifacts, checkpoints and Keras networks alike."""

from __future__ import annotations

from edgeseg.stages.predict.known import name_patients
from edgeseg.stages.predict.predictor import (
    Predictor,
    check_drawn,
    class_masks,
    flip_passes,
    masks_on_volume,
    normalised_logits,
    plain_dice,
    plain_overlaps,
    slice_label,
    volume_logits,
)
from edgeseg.stages.predict.remembered import Remembered
from edgeseg.stages.predict.weights import (
    checkpoint_contract,
    checkpoint_predictor,
    last_step_weights,
    network_of,
    plain_point,
)

__all__ = [
    "Predictor",
    "Remembered",
    "check_drawn",
    "checkpoint_contract",
    "checkpoint_predictor",
    "class_masks",
    "flip_passes",
    "last_step_weights",
    "masks_on_volume",
    "name_patients",
    "network_of",
    "normalised_logits",
    "plain_dice",
    "plain_overlaps",
    "plain_point",
    "slice_label",
    "volume_logits",
]
