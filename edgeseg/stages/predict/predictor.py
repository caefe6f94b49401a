"""What every stage that runs a network asks of it, whatever the format, and the one way the stages call it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.plane import in_plane
from edgeseg.data.volume import Volume
from edgeseg.errors import ArtifactError, MaskError
from edgeseg.imaging import (
    Tables,
    framed,
    framed_size,
    from_plane,
    logits_to_size,
    mask_from_logits,
    prepared,
    to_plane,
)
from edgeseg.metrics import Overlap, count_overlap
from edgeseg.specs import FLIPS, Contract, check_flips

BATCH_SLICES = 8


class Predictor(Protocol):
    """An artifact that is open and can be run: `edgeseg.runtime.Segmenter`, or a Keras network.

    Attributes:
        contract: what the artifact says of itself.
        numerics: how its arithmetic is done on this host, such as `float` or `exact-int8`.
        runtime: name and version of what runs it, such as `onnxruntime 1.31.1`.
        threads: how many threads it may use.
    """

    @property
    def contract(self) -> Contract:
        """What the artifact says of itself."""

    @property
    def numerics(self) -> str:
        """How the arithmetic is done on this host."""

    @property
    def runtime(self) -> str:
        """Name and version of what runs the artifact."""

    @property
    def threads(self) -> int:
        """How many threads it may use."""

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run slices of the contract's size: `(N, H, W, 3) uint8`, NHWC, to `(N, H, W) float32` logits.

        Of a contract with R regions they are `(N, H, W, R)`.
        """


class VolumePredictor(Predictor, Protocol):
    """A predictor that can be told how the bytes of a volume are normalised; all are that open a contract by volume."""

    def logits(self, images: NDArray[np.uint8], tables: Tables | None = None) -> NDArray[np.float32]:
        """Run slices as `Predictor.logits`, their bytes replaced by `tables` where given."""


def normalised_logits(predictor: Predictor, images: NDArray[np.uint8], tables: Tables | None) -> NDArray[np.float32]:
    """Run slices on the network's grid; `tables` are those of their volume, None where the contract needs none."""
    if tables is None:
        return predictor.logits(images)
    return cast(VolumePredictor, predictor).logits(images, tables=tables)


def volume_logits(predictor: Predictor, volume: Volume, *, flips: str = "none") -> NDArray[np.float32]:
    """Run one patient through a predictor, a few slices at a time, resampled to the contract's size.

    Where the volume says how far its pixels are apart, slices are framed first, as the runner frames those of a scan.

    Args:
        predictor: what to run.
        volume: images `(N, h, w, C) uint8`; any h and w.
        flips: a key of `FLIPS`; the logits are the mean over its passes, each flipped back.

    Returns:
        `(N, H, W) float32` logits on the grid of the contract, in its plane; of one with R regions `(N, H, W, R)`.

    Raises:
        OptionError: when `flips` is unknown.
        ArtifactError: when the artifact answers with another shape, or with NaN or infinity.
    """
    passes = flip_passes(predictor, volume, flips=flips)
    return passes[0] if len(passes) == 1 else np.mean(passes, axis=0, dtype=np.float32)


def flip_passes(predictor: Predictor, volume: Volume, *, flips: str) -> list[NDArray[np.float32]]:
    """Run one patient once for each pass of `flips`, each flipped back; see `volume_logits`, which takes their mean."""
    check_flips(flips)
    volume = in_plane(volume, predictor.contract.plane)
    frame = _frame(volume, predictor.contract)
    images = volume.images
    if frame != images.shape[1:3]:
        images = np.stack([framed(image, frame) for image in images])
    images, tables = prepared(images, predictor.contract, volume.channels)
    return [
        _logits(predictor, np.ascontiguousarray(images[:, ::rows, ::columns]), volume, tables)[:, ::rows, ::columns]
        for rows, columns in FLIPS[flips]
    ]


def masks_on_volume(logits: NDArray[np.float32], contract: Contract, volume: Volume) -> NDArray[np.bool_]:
    """Turn logits of `volume_logits`, `(N, H, W) float32`, into masks on the volume's own grid: `(N, h, w) bool`.

    Of a contract with R regions they are `(N, H, W, R)` and `(N, h, w, R)`.
    """
    return mask_from_logits(_on_volume(logits, contract, volume), contract)


def plain_overlaps(predictor: Predictor, volume: Volume) -> tuple[Overlap, ...]:
    """Count one patient while training: raw masks at probability 0.5, no flips, on the grid of the slices' cache.

    There is one count for each mask of the network.
    """
    reference = class_masks(volume, predictor.contract)
    found = _on_volume(volume_logits(predictor, volume), predictor.contract, volume) > 0.0
    if not predictor.contract.regions:
        return (count_overlap(found, reference),)
    return tuple(count_overlap(found[..., k], reference[..., k]) for k in range(found.shape[3]))


def plain_dice(predictor: Predictor, volume: Volume) -> float:
    """Return the Dice of `plain_overlaps`, the mean over the masks."""
    return fmean(one.dice for one in plain_overlaps(predictor, volume))


def class_masks(volume: Volume, contract: Contract) -> NDArray[np.bool_]:
    """Return the reference masks of what a contract draws.

    Returns:
        `(N, h, w) bool`; of a contract with R regions `(N, h, w, R)`, in their order.

    Raises:
        MaskError: when the data has other classes than the network.
    """
    drawn = tuple(region.name for region in contract.regions)
    check_drawn(drawn, volume)
    reference = np.asarray(volume.reference)
    return reference[..., [volume.classes.index(name) for name in drawn]] if drawn else reference


def check_drawn(drawn: Sequence[str], volume: Volume) -> None:
    """Refuse a patient whose masks are of other classes than a network draws; none drawn stands for one mask.

    Raises:
        MaskError: naming both.
    """
    if missing := sorted(set(drawn) - set(volume.classes)) or (() if drawn else volume.classes):
        raise MaskError(
            f"the network draws {', '.join(drawn) or 'one mask'}, and the masks of {volume.patient} are of "
            f"{', '.join(volume.classes) or 'one class'} ('{missing[0]}'); give data with the network's classes, or "
            "choose them with --labels"
        )


def slice_label(volume: Volume, index: int) -> str:
    """Name a slice as messages and results do: `<patient>/<slice>`."""
    return f"{volume.patient}/{volume.slice_names[index]}"


def _frame(volume: Volume, contract: Contract) -> tuple[int, int]:
    shape = (volume.images.shape[1], volume.images.shape[2])
    return framed_size(shape, contract, None if volume.spacing_mm is None else volume.spacing_mm[1:])


def _on_volume(logits: NDArray[np.float32], contract: Contract, volume: Volume) -> NDArray[np.float32]:
    """Resample logits to the frame that the slices had, leave out what was added, and order them as the volume is."""
    seen = in_plane(volume, contract.plane)
    height, width = seen.images.shape[1:3]
    found = logits_to_size(logits, *_frame(seen, contract))[:, :height, :width]
    return to_plane(from_plane(found, contract.plane), volume.plane)


def _logits(
    predictor: Predictor, images: NDArray[np.uint8], volume: Volume, tables: Tables | None
) -> NDArray[np.float32]:
    starts = range(0, len(images), BATCH_SLICES)
    batches = [
        np.asarray(normalised_logits(predictor, images[start : start + BATCH_SLICES], tables)) for start in starts
    ]
    for start, batch in zip(starts, batches, strict=True):
        regions = predictor.contract.regions
        shape = (*images[start : start + BATCH_SLICES].shape[:3], *((len(regions),) if regions else ()))
        _check_batch(batch, shape, predictor.contract, volume, start)
    return np.concatenate(batches).astype(np.float32, copy=False)


def _check_batch(
    batch: NDArray[np.float32], shape: tuple[int, ...], contract: Contract, volume: Volume, start: int
) -> None:
    if batch.shape != shape:
        raise ArtifactError(
            f"the {contract.target} artifact of {contract.variant.slug} answered {shape} slices with logits of shape "
            f"{batch.shape}; one logit per pixel, (N, H, W), is needed. Build it again with edgeseg build"
        )
    bad = ~np.isfinite(batch).all(axis=tuple(range(1, batch.ndim)))
    if bad.any():
        raise ArtifactError(
            f"the {contract.target} artifact of {contract.variant.slug} gave logits that are not finite on slice "
            f"{slice_label(volume, start + int(np.argmax(bad)))}; its weights are damaged. Build it again"
        )
