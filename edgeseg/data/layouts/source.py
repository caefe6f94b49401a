"""Where the values of one channel, or the labels of a mask, are read from: NIfTI, or pictures of one patient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.grid import Grid
from edgeseg.data.nifti import is_nifti, open_nifti
from edgeseg.data.origin import Origin
from edgeseg.data.sequence import Plane, Sequence
from edgeseg.data.slice_file import read_grey, read_label_map, read_slice
from edgeseg.errors import DatasetError, ImageError, MaskError
from edgeseg.specs import ChannelSet


class Source(Protocol):
    """Files of one channel, or of one mask, of one patient; not open yet."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What is read."""

    def open(self) -> Sequence:
        """Open them; whoever asks closes the sequence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiPart:
    """A NIfTI file, or one volume of a 4-D file; `of` is how many the file has to hold."""

    path: Path
    volume: int = 0
    of: int = 1

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    def open(self) -> Sequence:
        """Open the volume.

        Raises:
            DatasetError: when the file is missing, cannot be used, or holds another number of volumes.
            MissingExtraError: without the library that reads it.
        """
        found = open_nifti(self.path)
        if len(found) != self.of:
            found[0].close()
            raise DatasetError(
                f"{self.path}: the file holds {len(found)} volume(s), and {self.of} are needed, one for each channel"
            )
        return found[self.volume]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureSlices:
    """Grey pictures, one for each slice, or one plane of pictures that have `bands` of them."""

    files: tuple[Path, ...]
    band: int = 0
    bands: int = 1

    def open(self) -> Sequence:
        """Read the first picture and open the others when asked."""
        return _Pictures(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLabels:
    """Label maps as pictures, one for each slice."""

    files: tuple[Path, ...]

    def open(self) -> Sequence:
        """Read the first picture and open the others when asked."""
        return _LabelPictures(self.files)


class _Stack(ABC):
    """What stacks of pictures share: no position, and one size."""

    kind, mask_formats, origin, warnings = "pictures", ("png", "tiff"), Origin(), ()
    grid: Grid | None = None

    def __init__(self, files: tuple[Path, ...]) -> None:
        if not files:
            raise DatasetError("a patient has no slices; copy the patient again or take it out")
        self.source, self._files = str(files[0]), files
        first = self._read(0)
        self.shape = (len(files), first.shape[0], first.shape[1])
        self.is_bytes = first.dtype != np.uint16

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`.

        Raises:
            ImageError: when it cannot be used, or is of another size or depth than the first.
        """
        pixels = self._read(index)
        if pixels.shape != self.shape[1:] or (pixels.dtype != np.uint16) != self.is_bytes:
            raise ImageError(
                f"{self._files[index]}: the slice is {pixels.shape[0]} x {pixels.shape[1]} of {pixels.dtype} and the "
                f"patient's first is {self.shape[1]} x {self.shape[2]}; all slices of a patient must have one size and "
                "depth"
            )
        return pixels.astype(np.float64)

    def close(self) -> None:  # noqa: B027  # no subclass has anything to close
        """Nothing is held open."""

    @abstractmethod
    def _read(self, index: int) -> NDArray[np.generic]:
        """Read one picture, `(h, w)` of 8 or 16 bits."""


class _Pictures(_Stack):
    def __init__(self, given: PictureSlices) -> None:
        self._given = given
        super().__init__(given.files)

    def _read(self, index: int) -> NDArray[np.generic]:
        path, given = self._files[index], self._given
        if given.bands == 1:
            return read_grey(path, advice="the channels of this set are grey, so save it as grey")
        planes = ChannelSet(names=tuple(f"plane {number}" for number in range(1, given.bands + 1)))
        return read_slice(path, planes)[..., given.band]


class _LabelPictures(_Stack):
    def _read(self, index: int) -> NDArray[np.generic]:
        return read_label_map(self._files[index])

    def plane(self, index: int) -> Plane:
        """Read one label map, `(h, w) float64`; its depth may differ from the first's."""
        return self._read(index).astype(np.float64)


def label_source(path: Path) -> NiftiPart | PictureLabels:
    """Return where the labels of one file are read from, by its ending."""
    return NiftiPart(path=path) if is_nifti(path) else PictureLabels(files=(path,))


def require_files(source: Source, patient: str, what: str) -> None:
    """Refuse a source of which a file is missing.

    Args:
        source: of one channel, or of the mask.
        patient: whose it is.
        what: `channel 't2'`, or `the mask`.

    Raises:
        MaskError: for the mask.
        ImageError: for a channel.
    """
    for path in source.files:
        if not path.is_file():
            mask = what == "the mask"
            raise (MaskError if mask else ImageError)(
                f"{path}: {what} of {patient} is missing; copy the file again, or take the patient out"
            )
