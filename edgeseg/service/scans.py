"""Open what was sent: pictures from memory, NIfTI and DICOM in a private folder, under names of our own."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.open_scan import open_scan
from edgeseg.data.scan import SourcedScan
from edgeseg.data.slice_file import decode_slice
from edgeseg.data.slice_scan import SliceScan
from edgeseg.service.packed import place_nifti, place_study
from edgeseg.service.refusal import UNUSABLE, Refusal
from edgeseg.specs import ServeOptions

SCAN_NAME = "scan"
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Upload:
    """What a request brought: slices of three channels, or NIfTI files by sequence, or a zip of a DICOM study."""

    slices: tuple[bytes, ...] = ()
    sequences: dict[str, bytes] = field(default_factory=dict)
    study: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the client decides: form of the masks, whether slices are neighbours in order, their spacing, and series."""

    masks: str = "png"
    volume: bool = False
    spacing_mm: tuple[float, float, float | None] | None = None
    series: dict[str, str] = field(default_factory=dict)


def open_upload(upload: Upload, wish: Wish, options: ServeOptions, place: Path) -> SourcedScan:
    """Open an upload; files, where there must be any, go into `place`.

    Raises:
        Refusal: when what is packed is too large.
        EdgeSegError: as `open_scan`.
    """
    if wish.series and upload.study is None:
        raise Refusal(UNUSABLE, "a series was chosen and no DICOM study was sent; leave the choice out")
    if upload.slices:
        names = [f"slice_{number:03d}{_ending(data)}" for number, data in enumerate(upload.slices, 1)]
        contents = dict(zip(names, upload.slices, strict=True))
        read = functools.partial(_read, contents, options.max_pixels)
        files = tuple(map(Path, names))
        return SliceScan(SCAN_NAME, files, volume=wish.volume, spacing_mm=wish.spacing_mm, read=read)
    if upload.study is not None:
        study = place_study(upload.study, place / "study", options)
        return open_scan(study, spacing_mm=wish.spacing_mm, series=wish.series)
    paths = {name: place_nifti(data, place / f"{name}.nii", options) for name, data in upload.sequences.items()}
    return open_scan(pre=paths.get("pre"), flair=paths["flair"], post=paths.get("post"), spacing_mm=wish.spacing_mm)


def _read(contents: dict[str, bytes], max_pixels: int, path: Path) -> NDArray[np.uint8]:
    return decode_slice(contents[path.name], path.stem, max_pixels=max_pixels)


def _ending(data: bytes) -> str:
    """Tell JPEG from the rest by its first bytes, since that is worth a warning; the decoder finds out by itself."""
    return ".jpg" if data.startswith(_JPEG) else ".png"
