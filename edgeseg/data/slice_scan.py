"""A scan of picture files, each of which holds all channels of one slice; they may differ in size."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.belong import Heads
from edgeseg.data.slice_file import is_jpeg, read_slice
from edgeseg.data.slice_names import doubts_of
from edgeseg.results import UnusedFiles, UsedSequence
from edgeseg.specs import LGG, ChannelSet


class SliceScan:
    """Pictures that hold all channels of a slice."""

    kind, mask_formats, reference = "slices", ("png", "tiff"), None

    def __init__(
        self,
        name: str,
        files: tuple[Path, ...],
        *,
        volume: bool,
        channels: ChannelSet = LGG,
        spacing_mm: tuple[float, float, float | None] | None = None,
        read: Callable[[Path], NDArray[np.uint8]] | None = None,
        unused: tuple[UnusedFiles, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> None:
        """Name the files; nothing is read yet.

        Args:
            name: of the patient.
            files: in anatomical order where `volume`.
            volume: whether they are all of one volume's slices.
            channels: what the pictures hold.
            spacing_mm: distances of rows, columns and slices, where known.
            read: gives one file's pixels; None reads them from disk.
            unused: files beside them.
            warnings: what was odd before.
        """
        self.channels, self._on = channels.names, channels.reference
        self._read = read or functools.partial(read_slice, channels=channels)
        self.name, self.volume, self._files, self._spacing_mm = name, volume, files, spacing_mm
        self.unused, self._warned = unused, warnings
        self._lock = threading.Lock()
        self._heads = Heads(self.channels, self._on)
        self._copies: Counter[str] = Counter()
        self._digests: dict[int, bytes] = {}

    @property
    def slice_names(self) -> tuple[str, ...]:
        """The files' names without their endings."""
        return tuple(file.stem for file in self._files)

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """What was given."""
        return None if self._spacing_mm is None else self._spacing_mm[:2]

    @property
    def slice_mm(self) -> float | None:
        """What was given, for a volume."""
        return None if self._spacing_mm is None or not self.volume else self._spacing_mm[2]

    @property
    def used(self) -> tuple[UsedSequence, ...]:
        """The files, which hold all channels."""
        count, folder = len(self._files), self._files[0].parent.name if self._files else ""
        one = UsedSequence(
            sequence=", ".join(self.channels),
            input=self.kind,
            series=folder,
            files=count,
            slices=count,
            evidence=("channels",),
        )
        return (one,)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was odd in the slices read so far, and in their names."""
        seen, shown = len(self._digests), [digest for digest in self._digests.values() if digest]
        found, told = [], len(shown)
        for name, count in self._copies.items():
            if count == told:
                found.append(f"channel '{name}' equals '{self._on}' in every slice: the sequence seems to be missing")
        others = [name for name in self.channels if name != self._on]
        if told and others and all(self._copies[name] == told for name in others):
            found = [
                f"all {len(self.channels)} channels are equal in every slice: the pictures seem to hold one sequence, "
                f"not {len(self.channels)}"
            ]
        if told < seen:
            found.append(f"{seen - told} of {seen} slices are blank")
        if jpegs := sum(map(is_jpeg, self._files)):
            found.append(f"{jpegs} of {len(self._files)} slices are JPEG, which blurs edges and mixes the sequences")
        if self.volume:
            if copies := len(shown) - len(set(shown)):
                found.append(
                    f"{copies} of {len(self._files)} slices equal another one: copies of it seem to be counted"
                )
            found += doubts_of(self.slice_names)
        return (*self._warned, *found, *self._heads.warnings(self.pixel_mm))

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, C) uint8`, channels as `channels` names them.

        Raises:
            ImageError: when the file cannot be used as a slice.
        """
        image = self._read(self._files[index])
        planes = {name: image[:, :, place] for place, name in enumerate(self.channels)}
        blank = image.min() == image.max()
        same = [n for n, plane in planes.items() if n != self._on and np.array_equal(plane, planes[self._on])]
        self._heads.add(planes)
        digest = b"" if blank else hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        with self._lock:
            if index not in self._digests:  # overlays read slices a second time
                self._copies.update([] if blank else same)
            self._digests[index] = digest
        return image

    def close(self) -> None:
        """Nothing is held open."""
