"""What the runner segments: one patient's slices, read one at a time, whatever files they come from."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.belong import compare_origins
from edgeseg.data.grey_range import GreyRange, grey_range
from edgeseg.data.look import look
from edgeseg.data.sequence import Sequence, covered_share, plane_on_grid
from edgeseg.errors import DatasetError
from edgeseg.results import UnusedFiles, UsedSequence
from edgeseg.specs import LGG, ChannelSet

STANDS_IN = "stands in its place"
"""What is said of a sequence that takes the place of one that was not given."""
_ENOUGH_COVER = 0.9
_CT_AIR = -900.0
_DIM_GREY = 40.0


class Scan(Protocol):
    """One patient's slices; `image` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The patient's name in results; never one that stands in a DICOM file."""

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels of its slices, in order."""

    @property
    def slice_names(self) -> tuple[str, ...]:
        """One name per slice, unique within the patient."""

    @property
    def volume(self) -> bool:
        """Whether the slices are neighbours in order, feet to head or the other way round."""

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Distances between rows and between columns; None where they are unknown."""

    @property
    def slice_mm(self) -> float | None:
        """Distance between slices; None where it is unknown."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd so far."""

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, C) uint8`, channels as `channels` names them."""

    def close(self) -> None:
        """Let go of files."""


class SourcedScan(Scan, Protocol):
    """A scan that says what it was made from and what masks on it may be written as."""

    @property
    def kind(self) -> str:
        """The format of the input, as results name it."""

    @property
    def mask_formats(self) -> tuple[str, ...]:
        """Out of `edgeseg.specs.MASK_FORMATS`; the first is the input's own."""

    @property
    def reference(self) -> Sequence | None:
        """The sequence on whose grid the masks are; None for pictures that hold all channels."""

    @property
    def used(self) -> tuple[UsedSequence, ...]:
        """Which files each sequence was read from."""

    @property
    def unused(self) -> tuple[UnusedFiles, ...]:
        """Which files were given and not used, and why."""


class SequenceScan:
    """Sequences as one scan: on the grid of the reference channel, each in the 8-bit range of the training data.

    What the channels name as stand-in takes the place of a sequence that was not acquired, as in the training data. A
    sequence on another grid is resampled to the reference's; where it does not reach, it is black.
    """

    def __init__(
        self,
        *,
        name: str,
        sequences: Mapping[str, Sequence],
        channels: ChannelSet = LGG,
        spacing_mm: tuple[float, float, float | None] | None = None,
        used: tuple[UsedSequence, ...] = (),
        unused: tuple[UnusedFiles, ...] = (),
        warnings: tuple[str, ...] = (),
        same_patient: bool = False,
    ) -> None:
        """Check that the sequences belong together, and find their windows.

        Args:
            name: in results.
            sequences: by the names of their channels.
            channels: the channels of the slices; masks are on the grid of their reference.
            spacing_mm: distances of rows, columns and slices, for files that do not hold them.
            used: which files each sequence was read from.
            unused: which were not used.
            warnings: what was odd before.
            same_patient: whether the user says that they are of one patient.

        Raises:
            DatasetError: when a channel is missing that nothing may stand in for, and when the sequences are of
                different patients, do not overlap, or differ in size and do not know their position.
        """
        self.name, self._given_mm, self.used, self.unused = name, spacing_mm, used, unused
        channels.require(sequences, name)
        self.channels = channels.names
        self._lock, self._odd_values, self._on = threading.Lock(), 0, channels.reference
        self._fixed = sequences[self._on]
        names = (self._on, *(one for one in channels.names if one in sequences and one != self._on))
        given = {one: sequences[one] for one in names}
        self._sequences: dict[str, Sequence] = {}
        self._warned = list(warnings)
        self._warned += compare_origins(
            {name: one.origin for name, one in given.items()},
            {name: one.source for name, one in given.items()},
            same_patient=same_patient,
        )
        self._elsewhere: set[str] = set()
        for channel, sequence in given.items():
            self._warned += [f"'{channel}': {warning}" for warning in sequence.warnings]
            if channel != self._on:
                self._match(channel, sequence)
        self._ranges: dict[str, GreyRange] = {}
        for channel, sequence in given.items():
            self._ranges[channel] = self._range(channel, sequence)
            self._sequences[channel] = given[channel] = self._ranges[channel].sequence
        for channel in channels.names:
            if channel not in given:
                other = str(channels.stand_in)
                self._ranges[channel], self._sequences[channel] = self._ranges[other], given[other]
                self._warned.append(f"'{channel}' was not given: '{other}' {STANDS_IN}, as in the training data")
                if other in self._elsewhere:
                    self._elsewhere.add(channel)
        before = self._odd_values
        self._warned += look(
            given, self._on, lambda channel, index: self._grey(channel, given[channel], index), self.pixel_mm
        )
        self._odd_values = before

    @property
    def slice_names(self) -> tuple[str, ...]:
        """`slice_001`, `slice_002` ..., from feet to head where the files know it."""
        return tuple(f"slice_{number:03d}" for number in range(1, self._fixed.shape[0] + 1))

    @property
    def volume(self) -> bool:
        """True: slices of a sequence are neighbours."""
        return True

    @property
    def kind(self) -> str:
        """The format of the reference channel."""
        return self._fixed.kind

    @property
    def mask_formats(self) -> tuple[str, ...]:
        """What masks on the reference's voxels may be written as; the first is its own."""
        return self._fixed.mask_formats

    @property
    def reference(self) -> Sequence:
        """The sequence on whose grid the masks are."""
        return self._fixed

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Distances between rows and between columns."""
        if self._fixed.grid is not None:
            return self._fixed.grid.spacing_mm[1:]
        return None if self._given_mm is None else self._given_mm[:2]

    @property
    def slice_mm(self) -> float | None:
        """Distance between slices."""
        if self._fixed.grid is not None:
            return self._fixed.grid.spacing_mm[0] if self._fixed.shape[0] > 1 else None
        return None if self._given_mm is None else self._given_mm[2]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd so far."""
        odd = f"{self._odd_values} values are NaN or infinite and were taken as background"
        return (*self._warned, *([odd] if self._odd_values else []))

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, C) uint8`, channels as `channels` names them."""
        image = np.zeros((*self._fixed.shape[1:], len(self.channels)), np.uint8)
        read: dict[int, NDArray[np.uint8]] = {}
        for place, channel in enumerate(self.channels):
            sequence = self._sequences[channel]
            if id(sequence) not in read:
                read[id(sequence)] = self._grey(channel, sequence, index)
            image[:, :, place] = read[id(sequence)]
        return image

    def close(self) -> None:
        """Let go of files."""
        for sequence in self._sequences.values():
            sequence.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _grey(self, channel: str, sequence: Sequence, index: int) -> NDArray[np.uint8]:
        inside = None
        if channel in self._elsewhere and self._fixed.grid is not None:
            plane, inside = plane_on_grid(sequence, self._fixed.grid, index)
        else:
            plane = sequence.plane(index)
        odd = int(plane.size - np.count_nonzero(np.isfinite(plane)))
        if odd:
            with self._lock:
                self._odd_values += odd
        grey = self._ranges[channel].apply(plane)
        return grey if inside is None else np.where(inside, grey, np.uint8(0))

    def _match(self, channel: str, sequence: Sequence) -> None:
        ours, theirs, on = self._fixed.grid, sequence.grid, f"'{self._on}'"
        if ours is None or theirs is None:
            if sequence.shape != self._fixed.shape:
                raise DatasetError(
                    f"{sequence.source}: '{channel}' has {_size(sequence)} and {on} {_size(self._fixed)}; files that "
                    "do not know their position must have one size; give NIfTI or DICOM, or resample them first"
                )
            return
        if theirs.same_as(ours):
            return
        share = covered_share(theirs, ours)
        if share == 0.0:
            raise DatasetError(
                f"{sequence.source}: '{channel}' does not overlap with {on} anywhere; are both of one patient and one "
                "visit? register them first"
            )
        self._elsewhere.add(channel)
        self._warned.append(f"'{channel}' is on another grid than {on} and was resampled to it")
        if share < _ENOUGH_COVER:
            self._warned.append(f"'{channel}' covers about {share:.0%} of {on}; it is black elsewhere")

    def _range(self, channel: str, sequence: Sequence) -> GreyRange:
        """Find a sequence's window, None where it is 8-bit grey; values that are no intensities are black in it."""
        found = grey_range(sequence)
        if found.window is None:
            if 0 < found.bright < _DIM_GREY:
                self._warned.append(
                    f"'{channel}' is 8-bit grey and dark: tissue reaches {found.bright:.0f} of 255, in the training "
                    f"data {_DIM_GREY:.0f} and more; export it brighter, or with more than 8 bits"
                )
            return found
        self._warned += [
            f"'{channel}': {blank.share:.1%} of the voxels hold {blank.value:g}, which lies {blank.lies}; they were "
            "taken as background"
            for blank in found.blanks
        ]
        if found.window.flat:
            self._warned.append(f"'{channel}' holds one value everywhere")
        elif found.window.low < _CT_AIR:
            self._warned.append(
                f"'{channel}' has values below {_CT_AIR:.0f}, as CT has; the network was trained on MRI"
            )
        return found


def _size(sequence: Sequence) -> str:
    slices, rows, columns = sequence.shape
    return f"{slices} slices of {rows} x {columns}"
