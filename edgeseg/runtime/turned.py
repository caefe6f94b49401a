"""A scan of axial slices for a network that takes slices through another axis, and its masks back on the scan's own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.scan import Scan
from edgeseg.errors import DatasetError, ImageError
from edgeseg.imaging import from_plane, plane_spacing, to_plane
from edgeseg.place import scratch_file
from edgeseg.runtime.stream import SliceMask
from edgeseg.specs import AXIAL


class TurnedScan:
    """A scan whose slices lie in another plane: all of it is read once into a temporary file, which is mapped."""

    volume = True

    def __init__(self, scan: Scan, plane: str) -> None:
        """Read the scan.

        Args:
            scan: axial slices, feet to head, of one size.
            plane: of `edgeseg.specs.PLANES`.

        Raises:
            DatasetError: when nothing says how far its voxels are apart.
            ImageError: when its slices differ in size.
            ScratchError: when the temporary file has no room.
        """
        if scan.pixel_mm is None or scan.slice_mm is None:
            raise DatasetError(
                f"{scan.name}: the network takes {plane} slices of a volume, and the files do not say how far their "
                "slices and pixels are apart; give NIfTI or DICOM, or say it with --spacing ROW,COLUMN,SLICE"
            )
        self.name, self.channels, self.warnings, self._scan = scan.name, scan.channels, (), scan
        images = (scan.image(index) for index in range(len(scan.slice_names)))
        stack = _stacked(images, len(scan.slice_names), np.uint8, scan.name)
        self._stack = to_plane(stack, plane)
        self.slice_names = tuple(f"{plane}_{number:03d}" for number in range(1, len(self._stack) + 1))
        self.slice_mm, *across = plane_spacing((scan.slice_mm, *scan.pixel_mm), plane)
        self.pixel_mm = (across[0], across[1])

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, C) uint8`."""
        return np.ascontiguousarray(self._stack[index])

    def close(self) -> None:
        """Close the scan."""
        self._scan.close()


def turned(scan: Scan, plane: str) -> Scan:
    """See a volume in a plane; itself where that is axial, and where it is lone slices, which are taken as they are.

    Raises:
        DataError: see `TurnedScan`.
        ScratchError: when the temporary file has no room.
    """
    return TurnedScan(scan, plane) if scan.volume and plane != AXIAL else scan


def turned_back(masks: Iterator[SliceMask], count: int, plane: str, name: str) -> Iterator[SliceMask]:
    """Give the masks of axial slices from those of a plane.

    Args:
        masks: of the slices of a `TurnedScan`, in order.
        count: how many there are.
        plane: in which they lie.
        name: of the scan, for messages.

    Yields:
        One for each axial slice. The time is spread evenly, and the range of logits is that of all.
    """
    seconds, ends = 0.0, [(math.inf, -math.inf)]

    def drawn() -> Iterator[NDArray[np.bool_]]:
        nonlocal seconds
        for done in masks:
            seconds += done.seconds
            ends.append(done.logit_range)
            yield done.mask

    axial = from_plane(_stacked(drawn(), count, np.bool_, name), plane)
    span = (min(low for low, _ in ends), max(high for _, high in ends))
    for mask in axial:
        yield SliceMask(np.ascontiguousarray(mask), seconds / len(axial), span)


def _stacked(slices: Iterator[NDArray[np.generic]], count: int, kind: type[np.generic], name: str) -> NDArray[Any]:
    """Put slices of one size into a mapped temporary file: `(count, *shape)`."""
    first = next(slices)
    shape = (count, *first.shape)
    with scratch_file(math.prod(shape)) as file:
        stack = np.memmap(file, kind, "r+", shape=shape)
    for index, one in enumerate(chain([first], slices)):
        if one.shape != first.shape:
            raise ImageError(
                f"{name}: slice {index + 1} is {one.shape[0]} x {one.shape[1]} and the first {first.shape[0]} x "
                f"{first.shape[1]}; slices through another axis need all of one size"
            )
        stack[index] = one
    return stack
