"""The contract of somebody's network as it is in a run."""

from __future__ import annotations

import json
from pathlib import Path

from edgeseg.errors import ContractError
from edgeseg.foreign.bounds import RAW_BYTES
from edgeseg.foreign.contract_file import ForeignContract
from edgeseg.foreign.flat import FlatGraph
from edgeseg.foreign.head_rules import Masks
from edgeseg.specs import CHANNELS, OUTPUTS, Contract, VariantSpec

_BRATS = (*CHANNELS, "t2")


def run_contract(
    flat: FlatGraph, given: ForeignContract, variant: VariantSpec, path: Path, kind: str, masks: Masks
) -> Contract:
    """Return the contract of a network.

    Args:
        flat: says what it takes.
        given: what its user says.
        variant: names it.
        path: of its file, for messages.
        kind: what its output is, one of `edgeseg.specs.foreign.HEADS`.
        masks: what that draws.

    Raises:
        ContractError: when the channels that its user names are not as many as it takes.
    """
    height, width, channels = flat.image.shape[1:4]
    if channels != len(given.channels):
        raise ContractError(
            f"{path}: takes {channels} channels, and the contract names {len(given.channels)} "
            f"({', '.join(given.channels)}); name those that it takes in a contract, as the data calls them, such as "
            f"channels = {json.dumps(usual_channels(channels))} (--contract FILE; --ask writes one)"
        )
    scale = (usual_scale(flat) if given.scale is None else given.scale) * flat.input_factor
    return Contract(
        variant=variant,
        tier="custom",
        target="keras-fp32",
        layout="NHWC",
        channels=given.channels,
        height=height,
        width=width,
        normalisation=given.normalisation,
        intensity=given.intensity,
        scale=scale,
        threshold=given.threshold,
        trained_on=given.trained_on,
        licence=given.licence,
        post_processing=given.post_processing,
        seen_patients=given.seen_patients,
        training_hash=given.training_hash,
        reference_channel=given.reference_channel,
        stand_in=given.stand_in,
        plane=given.plane,
        passes=given.passes,
        output=_output(kind, masks),
        classes=masks.classes,
        regions=masks.regions,
        exclusive=masks.exclusive,
    )


def usual_channels(count: int) -> tuple[str, ...]:
    """Names that as many channels could have, to be shown: those of TCGA-LGG, or of BraTS where there are four."""
    if count <= len(CHANNELS):
        return CHANNELS[:count]
    return _BRATS if count == len(_BRATS) else tuple(f"channel-{number}" for number in range(1, count + 1))


def usual_scale(flat: FlatGraph) -> float:
    """What bytes are multiplied by where nobody says it: by nothing where the network itself does that first."""
    return 1.0 if flat.takes_bytes or flat.input_factor < RAW_BYTES else 1.0 / 255.0


def _output(kind: str, masks: Masks) -> str:
    """Say what an artifact gives: its last sigmoid or softmax is cut off where one was found."""
    logits, probabilities, softmax = OUTPUTS
    if kind != "probabilities":
        return logits
    return softmax if masks.exclusive else probabilities
