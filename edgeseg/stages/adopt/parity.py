"""The network in a run held against the file that it was made of, before anything of it is kept."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeseg.checkpoint import Checkpoint
from edgeseg.data.phantom import PhantomDataset
from edgeseg.data.phantom_channels import phantom_channels
from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, one_line
from edgeseg.foreign import ForeignNetwork, OriginalPredictor
from edgeseg.results import REFERENCE, ParityResult
from edgeseg.results.imported import ImportResult
from edgeseg.specs import Contract
from edgeseg.stages.adopt.source import original_of
from edgeseg.stages.predict import Predictor, checkpoint_contract, volume_logits
from edgeseg.stages.score.verify import verify
from edgeseg.targets import float_predictor, get
from edgeseg.variants import census

NOT_THE_SAME = "the Keras network that edgeseg makes of its graph does not compute what the file computes"
"""Why a network stays an ONNX graph that has a layer for each of its operations."""
_CHECKED_SLICES = 8
_ROUNDING = {"float32": 1e-3, "float16": 0.1}
"""Logits this near to each other differ in the rounding of their sums alone, however many lie on the threshold."""
_SHARE = 0.01
"""Of the largest logit or probability: rounding through many layers stays far below this, and masks may hide more."""


class ConversionError(ArtifactError):
    """A Keras network that was made of an ONNX graph computes something else."""


def result_of(network: ForeignNetwork, checkpoint: Checkpoint, out: Path, *, threads: int) -> ImportResult:
    """Hold the network in a run against its own file, and say what it is.

    Args:
        network: as it was read.
        checkpoint: the run that is being made.
        out: where it will be.
        threads: of the runtimes.

    Raises:
        ConversionError: when they differ, and the file is an ONNX graph that was made a Keras network.
        ArtifactError: when they differ otherwise.
    """
    original = original_of(checkpoint, threads=threads)
    parity = _held_against(network, checkpoint, original, threads)
    record, header, counted = network.record, checkpoint.header, census(network.model)
    contract = checkpoint_contract(header)
    return ImportResult(
        network=header.variant.slug,
        run=str(out),
        kind=record.kind,
        file=record.file,
        size_bytes=record.size_bytes,
        sha256=record.sha256,
        framework=record.framework,
        parameters=counted.parameters,
        macs=counted.macs,
        height=contract.height,
        width=contract.width,
        channels=contract.channels,
        normalisation=contract.normalisation,
        scale=contract.scale,
        threshold=contract.threshold,
        output=record.output,
        head=record.head,
        foreground=record.foreground,
        regions=contract.regions,
        notes=record.notes,
        runtime=original.runtime,
        parity=replace(parity, reference=record.kind),
    )


def _held_against(
    network: ForeignNetwork, checkpoint: Checkpoint, original: OriginalPredictor, threads: int
) -> ParityResult:
    """Compare a network with its own file on slices of a phantom.

    Raises:
        ConversionError: as `result_of`.
        ArtifactError: likewise.
    """
    record, header = network.record, checkpoint.header
    contract = checkpoint_contract(header)
    limit = get(REFERENCE).max_flip_ppm
    converted = not (record.architecture or record.not_keras)
    try:
        ours = float_predictor(network.model, contract, threads=threads)
        parity = verify(ours, original, _slices(contract), artifact=header.variant.slug, max_flip_ppm=limit)
    except Exception as error:
        if not converted:
            raise
        raise ConversionError(_told(record.file, f"it cannot be run ({one_line(error)})")) from error
    apart = parity.max_logit_difference > _ROUNDING[original.numerics]
    exact = converted and original.numerics == "float32"
    if apart and (not parity.passed or (exact and _hidden(ours, original, contract, record.head))):
        differs = (
            f"{parity.flips_ppm:.0f} of a million pixels differ from {original.runtime}, logits by up to "
            f"{parity.max_logit_difference:.3g}"
        )
        if converted:
            raise ConversionError(_told(record.file, differs))
        raise ArtifactError(
            f"{record.file}: the network as edgeseg reads it is not what the file computes: {differs}; export it to "
            "ONNX with another exporter or opset, and report this"
        )
    return parity


def _hidden(ours: Predictor, original: Predictor, contract: Contract, head: str) -> bool:
    """Tell whether a network computes something else than its file though no mask shows it, such as half of each logit.

    A file that gives probabilities tells no exact logit next to 0 and 1, so there probabilities are compared.
    """
    (volume,) = _slices(contract)
    mine, theirs = (volume_logits(one, volume).astype(np.float64) for one in (ours, original))
    if head != "logits":
        mine, theirs = (0.5 + 0.5 * np.tanh(values / 2.0) for values in (mine, theirs))
    return bool(np.abs(mine - theirs).max() > _SHARE * np.abs(theirs).max())


def _told(file: str, what: str) -> str:
    return f"{file}: of the Keras network that is made of its graph {what}; so it is taken as the ONNX graph that it is"


@functools.lru_cache(maxsize=4)
def _phantom(channels: tuple[str, ...]) -> Volume:
    """Draw a patient with such channels; the same one, which takes longer than to run most networks on it."""
    dataset = PhantomDataset(1, channels=phantom_channels(channels))
    return dataset.volume(dataset.patients[0])


def _slices(contract: Contract) -> Iterator[Volume]:
    """A few slices of a phantom, through its middle, taken for such as the network takes."""
    volume = _phantom(contract.channels)
    start = max(0, len(volume.images) // 2 - _CHECKED_SLICES // 2)
    rows = slice(start, start + _CHECKED_SLICES)
    masks = None if volume.masks is None else volume.masks[rows]
    names = volume.slice_names[rows]
    yield replace(volume, images=volume.images[rows], masks=masks, slice_names=names, plane=contract.plane)
