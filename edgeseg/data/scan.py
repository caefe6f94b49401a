"""What the runner segments: one patient's slices, read one at a time, whatever files they come from."""

from __future__ import annotations

import threading
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
from edgeseg.specs import CHANNELS

_ENOUGH_COVER = 0.9
_CT_AIR = -900.0
_DIM_GREY = 40.0


class Scan(Protocol):
    """One patient's slices; `image` may be called from several threads at once."""

    @property
    def name(self) -> str:
        """The patient's name in results; never one that stands in a DICOM file."""

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
        """Read one slice: `(h, w, 3) uint8`, channels = pre, FLAIR, post."""

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
        """The sequence on whose grid the masks are; None for pictures of three channels."""

    @property
    def used(self) -> tuple[UsedSequence, ...]:
        """Which files each sequence was read from."""

    @property
    def unused(self) -> tuple[UnusedFiles, ...]:
        """Which files were given and not used, and why."""


class SequenceScan:
    """Three sequences as one scan: on FLAIR's grid, each in the 8-bit range of the training data.

    FLAIR takes the place of a sequence that was not acquired, as in the training data. A sequence on another grid is
    resampled to FLAIR's; where it does not reach, it is black.
    """

    def __init__(
        self,
        *,
        name: str,
        flair: Sequence,
        pre: Sequence | None = None,
        post: Sequence | None = None,
        spacing_mm: tuple[float, float, float | None] | None = None,
        used: tuple[UsedSequence, ...] = (),
        unused: tuple[UnusedFiles, ...] = (),
        warnings: tuple[str, ...] = (),
        same_patient: bool = False,
    ) -> None:
        """Check that the sequences belong together, and find their windows.

        Args:
            name: in results.
            flair: the reference; the masks are on its grid.
            pre: without contrast agent.
            post: with contrast agent.
            spacing_mm: distances of rows, columns and slices, for files that do not hold them.
            used: which files each sequence was read from.
            unused: which were not used.
            warnings: what was odd before.
            same_patient: whether the user says that they are of one patient.

        Raises:
            DatasetError: when the sequences are of different patients, do not overlap, or differ in size and do not
                know their position.
        """
        self.name, self._given_mm, self.used, self.unused = name, spacing_mm, used, unused
        self._sequences: dict[str, Sequence] = {
            "pre": flair if pre is None else pre,
            "flair": flair,
            "post": flair if post is None else post,
        }
        self._flair, self._lock, self._odd_values = flair, threading.Lock(), 0
        given = {"flair": flair, **{name: one for name, one in (("pre", pre), ("post", post)) if one is not None}}
        self._warned = list(warnings)
        self._warned += compare_origins(
            {name: one.origin for name, one in given.items()},
            {name: one.source for name, one in given.items()},
            same_patient=same_patient,
        )
        self._elsewhere: set[str] = set()
        for channel, sequence in given.items():
            self._warned += [f"'{channel}': {warning}" for warning in sequence.warnings]
            if channel != "flair":
                self._match(channel, sequence)
        self._ranges: dict[str, GreyRange] = {}
        for channel, sequence in given.items():
            self._ranges[channel] = self._range(channel, sequence)
            self._sequences[channel] = given[channel] = self._ranges[channel].sequence
        for channel in CHANNELS:
            if channel not in given:
                self._ranges[channel], self._sequences[channel] = self._ranges["flair"], given["flair"]
                self._warned.append(f"'{channel}' was not given: FLAIR stands in its place, as in the training data")
        before = self._odd_values
        self._warned += look(given, lambda channel, index: self._grey(channel, given[channel], index), self.pixel_mm)
        self._odd_values = before

    @property
    def slice_names(self) -> tuple[str, ...]:
        """`slice_001`, `slice_002` ..., from feet to head where the files know it."""
        return tuple(f"slice_{number:03d}" for number in range(1, self._flair.shape[0] + 1))

    @property
    def volume(self) -> bool:
        """True: slices of a sequence are neighbours."""
        return True

    @property
    def kind(self) -> str:
        """The format of FLAIR."""
        return self._flair.kind

    @property
    def mask_formats(self) -> tuple[str, ...]:
        """What masks on FLAIR's voxels may be written as; the first is its own."""
        return self._flair.mask_formats

    @property
    def reference(self) -> Sequence:
        """FLAIR, on whose grid the masks are."""
        return self._flair

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Distances between rows and between columns."""
        if self._flair.grid is not None:
            return self._flair.grid.spacing_mm[1:]
        return None if self._given_mm is None else self._given_mm[:2]

    @property
    def slice_mm(self) -> float | None:
        """Distance between slices."""
        if self._flair.grid is not None:
            return self._flair.grid.spacing_mm[0] if self._flair.shape[0] > 1 else None
        return None if self._given_mm is None else self._given_mm[2]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd so far."""
        odd = f"{self._odd_values} values are NaN or infinite and were taken as background"
        return (*self._warned, *([odd] if self._odd_values else []))

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, 3) uint8`, channels = pre, FLAIR, post."""
        image = np.zeros((*self._flair.shape[1:], len(CHANNELS)), np.uint8)
        read: dict[int, NDArray[np.uint8]] = {}
        for place, channel in enumerate(CHANNELS):
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
        if channel in self._elsewhere and self._flair.grid is not None:
            plane, inside = plane_on_grid(sequence, self._flair.grid, index)
        else:
            plane = sequence.plane(index)
        odd = int(plane.size - np.count_nonzero(np.isfinite(plane)))
        if odd:
            with self._lock:
                self._odd_values += odd
        grey = self._ranges[channel].apply(plane)
        return grey if inside is None else np.where(inside, grey, np.uint8(0))

    def _match(self, channel: str, sequence: Sequence) -> None:
        ours, theirs = self._flair.grid, sequence.grid
        if ours is None or theirs is None:
            if sequence.shape != self._flair.shape:
                raise DatasetError(
                    f"{sequence.source}: '{channel}' has {_size(sequence)} and FLAIR {_size(self._flair)}; files that "
                    "do not know their position must have one size; give NIfTI or DICOM, or resample them first"
                )
            return
        if theirs.same_as(ours):
            return
        share = covered_share(theirs, ours)
        if share == 0.0:
            raise DatasetError(
                f"{sequence.source}: '{channel}' does not overlap with FLAIR anywhere; are both of one patient and one "
                "visit? register them first"
            )
        self._elsewhere.add(channel)
        self._warned.append(f"'{channel}' is on another grid than FLAIR and was resampled to it")
        if share < _ENOUGH_COVER:
            self._warned.append(f"'{channel}' covers about {share:.0%} of FLAIR; it is black elsewhere")

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
