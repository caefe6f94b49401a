"""A scan of picture files, each of which holds the three sequences of one slice; they may differ in size."""

from __future__ import annotations

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
from edgeseg.specs import CHANNELS


class SliceScan:
    """Pictures of three channels: pre, FLAIR, post."""

    kind, mask_formats, reference = "slices", ("png", "tiff"), None

    def __init__(
        self,
        name: str,
        files: tuple[Path, ...],
        *,
        volume: bool,
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
            spacing_mm: distances of rows, columns and slices, where known.
            read: gives one file's pixels; None reads them from disk.
            unused: files beside them.
            warnings: what was odd before.
        """
        self._read = read or read_slice
        self.name, self.volume, self._files, self._spacing_mm = name, volume, files, spacing_mm
        self.unused, self._warned = unused, warnings
        self._lock, self._seen, self._blank = threading.Lock(), 0, 0
        self._heads = Heads(CHANNELS)
        self._like_flair: Counter[str] = Counter()
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
        """The files, which hold all three sequences."""
        count, folder = len(self._files), self._files[0].parent.name if self._files else ""
        one = UsedSequence(
            sequence=", ".join(CHANNELS),
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
        found, told = [], self._seen - self._blank
        for name, count in self._like_flair.items():
            if count == told:
                found.append(f"channel '{name}' equals 'flair' in every slice: the sequence seems to be missing")
        if told and all(self._like_flair[name] == told for name in CHANNELS if name != "flair"):
            found = ["all three channels are equal in every slice: the pictures seem to hold one sequence, not three"]
        if self._blank:
            found.append(f"{self._blank} of {self._seen} slices are blank")
        if jpegs := sum(map(is_jpeg, self._files)):
            found.append(f"{jpegs} of {len(self._files)} slices are JPEG, which blurs edges and mixes the sequences")
        if self.volume:
            shown = [digest for digest in self._digests.values() if digest]
            if copies := len(shown) - len(set(shown)):
                found.append(
                    f"{copies} of {len(self._files)} slices equal another one: copies of it seem to be counted"
                )
            found += doubts_of(self.slice_names)
        return (*self._warned, *found, *self._heads.warnings(self.pixel_mm))

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read one slice: `(h, w, 3) uint8`, channels = pre, FLAIR, post.

        Raises:
            ImageError: when the file cannot be used as a slice.
        """
        image = self._read(self._files[index])
        flair = image[:, :, CHANNELS.index("flair")]
        blank = image.min() == image.max()
        same = [n for i, n in enumerate(CHANNELS) if n != "flair" and np.array_equal(image[:, :, i], flair)]
        self._heads.add({name: image[:, :, place] for place, name in enumerate(CHANNELS)})
        digest = b"" if blank else hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        with self._lock:
            self._digests[index] = digest
            self._seen += 1
            self._blank += int(blank)
            self._like_flair.update([] if blank else same)
        return image

    def close(self) -> None:
        """Nothing is held open."""
