"""Masks of slices that come one after another, in memory that does not grow with their number.

For a contract that drops small components of a volume all slices have to be seen before the first mask is final. Until
then a slice is kept as its packed mask and, where it has tumour, its logits, in memory up to 16 MiB and then in a
temporary file; of the volume as a whole only the runs of tumour pixels are kept. The masks are those that
`edgeseg.components.post_process_logits` gives on the whole stack of logits.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeseg.components import DROPPED_BELOW_THRESHOLD, RunStack, large_enough, post_process_logits
from edgeseg.errors import OutputError
from edgeseg.imaging import framed, framed_mask, framed_size, mask_from_logits, to_network
from edgeseg.specs import Contract
from edgeseg.trust import InputTally, OutputTally, RegionTally, slices_looked_at

Infer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
Scalar = TypeVar("Scalar", bound=np.generic)
_IN_MEMORY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True, eq=False)
class SliceMask:
    """One slice's mask, `(h, w) bool` on the slice's own grid, and the time it took from bytes to mask.

    Of a contract with R regions it is `(h, w, R) bool`.

    `logit_range` is the least and the greatest of its logits as the network gave them.
    """

    mask: NDArray[np.bool_]
    seconds: float
    logit_range: tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where a slice is in the spool, and what is needed to make its mask again."""

    offset: int
    shape: tuple[int, int]
    size: tuple[int, int]
    tumour: bool
    seconds: float
    logit_range: tuple[float, float]


def counted(infer: Infer, tally: OutputTally | RegionTally | None) -> Infer:
    """Let what a network gives be counted on the way, slice by slice; the same where nothing is to be counted."""
    if tally is None:
        return infer

    def watched(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        logits = infer(image)
        for one in logits:
            tally.add(one)
        return logits

    return watched


def looked_at(infer: Infer, seen: InputTally | None, slices: int) -> Infer:
    """Let what a network is given be counted on the way, of the slices of a scan that are looked at."""
    if seen is None:
        return infer
    wanted, numbers = frozenset(slices_looked_at(slices)), count()

    def watched(image: NDArray[np.uint8]) -> NDArray[np.float32]:
        if next(numbers) in wanted:
            seen.add(image[0])
        return infer(image)

    return watched


def stream_masks(
    infer: Infer,
    contract: Contract,
    images: Iterable[NDArray[np.uint8]],
    *,
    volume: bool,
    channels: tuple[str, ...] | None = None,
    pixel_mm: tuple[float, float] | None = None,
    spool_dir: Path | None = None,
) -> Iterator[SliceMask]:
    """Segment slices of any sizes.

    Args:
        infer: `(1, H, W, C) uint8` on the network's grid to `(1, H, W)` or `(1, H, W, R) float32` logits, as
            `Segmenter.logits`.
        contract: of the network.
        images: slices, each `(h, w, D) uint8`; taken when needed.
        volume: whether they are neighbours in order, so that small components are those of the volume.
        channels: what their D channels are, as `edgeseg.imaging.to_network` takes it.
        pixel_mm: distances between rows and between columns, so that proportions are kept; None where unknown.
        spool_dir: where the temporary file goes, by default the system's place for such.

    Raises:
        ImageError: when an image is not a slice.
        ArtifactError: when the runtime fails, or gives NaN or infinity.
        OutputError: when the temporary file cannot be written.
    """
    if volume and contract.drops(volume=True):
        yield from _joined(infer, contract, images, channels, pixel_mm, spool_dir)
        return
    for image in images:
        before = time.perf_counter()
        size = framed_size((image.shape[0], image.shape[1]), contract, pixel_mm)
        logits = infer(to_network(framed(image, size)[np.newaxis], contract, channels))
        ends = _ends(logits)
        logits = post_process_logits(logits, contract, volume=volume)
        mask = framed_mask(logits, contract, (image.shape[0], image.shape[1]), size)
        yield SliceMask(mask, time.perf_counter() - before, ends)


def _joined(
    infer: Infer,
    contract: Contract,
    images: Iterable[NDArray[np.uint8]],
    channels: tuple[str, ...] | None,
    pixel_mm: tuple[float, float] | None,
    spool_dir: Path | None,
) -> Iterator[SliceMask]:
    runs, kept = [RunStack(contract.height, contract.width) for _ in contract.masks], []
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES, dir=None if spool_dir is None else str(spool_dir)) as spool:
        for image in images:
            before = time.perf_counter()
            shape = (image.shape[0], image.shape[1])
            size = framed_size(shape, contract, pixel_mm)
            logits = infer(to_network(framed(image, size)[np.newaxis], contract, channels))
            rough = mask_from_logits(logits, contract)[0]
            for stack, plane in zip(runs, _planes(rough), strict=True):
                stack.add(plane)
            tumour, offset = bool(rough.any()), spool.tell()
            _write(spool, np.packbits(framed_mask(logits, contract, shape, size)).tobytes(), spool_dir)
            if tumour:
                _write(spool, logits.tobytes(), spool_dir)
            kept.append(_Kept(offset, shape, size, tumour, time.perf_counter() - before, _ends(logits)))
        before = time.perf_counter()
        found = [stack.components() for stack in runs]
        keep = [
            large_enough(one.sizes, mask.post_processing, volume=True)
            for one, mask in zip(found, contract.masks, strict=True)
        ]
        share = (time.perf_counter() - before) / max(1, len(kept))
        for index, entry in enumerate(kept):
            before = time.perf_counter()
            dropped = [one.slice_mask(index, ~stay) for one, stay in zip(found, keep, strict=True)]
            mask = _again(spool, entry, contract, dropped if any(map(np.any, dropped)) else None)
            yield SliceMask(mask, entry.seconds + share + time.perf_counter() - before, entry.logit_range)


def _again(
    spool: IO[bytes], entry: _Kept, contract: Contract, dropped: list[NDArray[np.bool_]] | None
) -> NDArray[np.bool_]:
    """Give a slice's mask: as it was kept, or from its logits where components of it are dropped."""
    spool.seek(entry.offset)
    regions = (len(contract.regions),) if contract.regions else ()
    pixels = entry.shape[0] * entry.shape[1] * math.prod(regions)
    packed = np.frombuffer(spool.read((pixels + 7) // 8), np.uint8)
    if dropped is None:
        return np.unpackbits(packed, count=pixels).reshape(*entry.shape, *regions).view(np.bool_)
    size = (contract.height, contract.width, *regions)
    logits = np.frombuffer(spool.read(4 * math.prod(size)), np.float32).reshape(1, *size).copy()
    for plane, gone, one in zip(_planes(logits[0]), dropped, contract.masks, strict=True):
        plane[gone] = np.float32(one.logit_threshold - DROPPED_BELOW_THRESHOLD)
    return framed_mask(logits, contract, entry.shape, entry.size)


def _planes(values: NDArray[Scalar]) -> list[NDArray[Scalar]]:
    """Give the planes, `(H, W)` each, of what is `(H, W)` or `(H, W, R)`; views of it."""
    return [values] if values.ndim == 2 else list(np.moveaxis(values, -1, 0))


def _ends(logits: NDArray[np.float32]) -> tuple[float, float]:
    return float(logits.min()), float(logits.max())


def _write(spool: IO[bytes], content: bytes, place: Path | None) -> None:
    try:
        spool.write(content)
    except OSError as error:
        where = tempfile.gettempdir() if place is None else place
        raise OutputError(
            f"cannot keep slices in a temporary file in {where} ({error.strerror or error}); free space there or "
            "choose another place for the output"
        ) from error
