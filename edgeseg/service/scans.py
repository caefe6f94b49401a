"""Open what was sent: pictures from memory, NIfTI and DICOM in a private folder, under names of our own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.open_scan import open_scan
from edgeseg.data.scan import SourcedScan
from edgeseg.data.slice_file import decode_slice
from edgeseg.data.slice_scan import SliceScan
from edgeseg.service.packed import Budget, place_nifti, place_study, too_many_pixels
from edgeseg.service.refusal import UNUSABLE, Refusal
from edgeseg.specs import Bounds, ChannelSet

SCAN_NAME = "scan"
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Upload:
    """What a request brought: slices that hold all channels, or NIfTI files by sequence, or a zip of a DICOM study."""

    slices: tuple[bytes, ...] = ()
    sequences: dict[str, bytes] = field(default_factory=dict)
    study: bytes | None = None

    @property
    def parts(self) -> tuple[tuple[str, bytes], ...]:
        """All that was brought, each with `slices`, `study` or the name of its sequence."""
        study = () if self.study is None else (("study", self.study),)
        return (*(("slices", one) for one in self.slices), *study, *self.sequences.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the client decides: form of the masks, whether slices are neighbours in order, their spacing, and series."""

    masks: str = "png"
    volume: bool = False
    spacing_mm: tuple[float, float, float | None] | None = None
    series: dict[str, str] = field(default_factory=dict)


def open_upload(
    upload: Upload, wish: Wish, channels: ChannelSet, bounds: Bounds, place: Path, budget: Budget
) -> SourcedScan:
    """Open an upload for a network of these channels in this process; files, where there must be any, go into `place`.

    Raises:
        Refusal: when what is packed is too large.
        EdgeSegError: as `open_scan`.
    """
    if wish.series and upload.study is None:
        raise Refusal(UNUSABLE, "a series was chosen and no DICOM study was sent; leave the choice out")
    if upload.slices:
        names = [f"slice_{number:03d}{_ending(data)}" for number, data in enumerate(upload.slices, 1)]
        contents = dict(zip(names, upload.slices, strict=True))
        read = _Counted(contents, channels.pictured, bounds).read
        files = tuple(map(Path, names))
        return SliceScan(
            SCAN_NAME,
            files,
            volume=wish.volume,
            channels=channels.pictured,
            spacing_mm=wish.spacing_mm,
            read=read,
        )
    if upload.study is not None:
        study = place_study(upload.study, place / "study", bounds, budget)
        return open_scan(study, channels=channels, spacing_mm=wish.spacing_mm, series=wish.series)
    paths = {
        name: place_nifti(data, place / f"channel_{channels.names.index(name)}.nii", bounds, budget)
        for name, data in upload.sequences.items()
    }
    return open_scan(channels=channels, sequences=paths, spacing_mm=wish.spacing_mm)


class _Counted:
    """Decodes pictures that are in memory, until their pixels are too many."""

    def __init__(self, contents: dict[str, bytes], channels: ChannelSet, bounds: Bounds) -> None:
        self._contents, self._channels = contents, channels
        self._bounds, self._left = bounds, bounds.all_pixels

    def read(self, path: Path) -> NDArray[np.uint8]:
        image = decode_slice(
            self._contents[path.name], path.stem, max_pixels=self._bounds.max_pixels, channels=self._channels
        )
        self._left -= image.shape[0] * image.shape[1]
        if self._left < 0:
            raise too_many_pixels(self._bounds)
        return image


def _ending(data: bytes) -> str:
    """Tell JPEG from the rest by its first bytes, since that is worth a warning; the decoder finds out by itself."""
    return ".jpg" if data.startswith(_JPEG) else ".png"
