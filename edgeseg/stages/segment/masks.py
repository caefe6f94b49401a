"""What a run writes for one patient: masks as pictures, NIfTI or DICOM SEG."""

from __future__ import annotations

import gzip
import math
import shutil
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from edgeseg.data.nifti import NiftiHeader
from edgeseg.data.tree import MASK_ENDING
from edgeseg.specs import INTENDED_USE, MaskRegion, colours

NIFTI_NOTE = "edgeseg; research use only, not a medical device"
_TIFF_DESCRIPTION = 270
_BLOCK = 1 << 20


class Writer(Protocol):
    """Takes the slices of one patient in order."""

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Take the mask of one slice, `(h, w) bool`, or of R regions `(h, w, R) bool`."""

    def finish(self) -> tuple[Path, ...]:
        """Write what is left; gives all files that hold the whole patient."""


def label_map(masks: NDArray[np.bool_], regions: tuple[MaskRegion, ...]) -> NDArray[np.uint8]:
    """Write several masks, `(h, w, R) bool`, as one map of labels, `(h, w) uint8`; where they overlap the later counts.

    0 is none of them. A mask of one, `(h, w) bool`, becomes 0 and 1.
    """
    if not regions:
        return masks.astype(np.uint8)
    labels = np.zeros(masks.shape[:2], np.uint8)
    for number, region in enumerate(regions):
        labels[masks[..., number]] = region.label
    return labels


def save_png(picture: Image.Image, path: Path) -> None:
    """Write a PNG that says what it is not for."""
    note = PngInfo()
    note.add_text("Disclaimer", INTENDED_USE)
    note.add_text("Software", "edgeseg")
    picture.save(path, format="PNG", pnginfo=note)


class PictureMasks:
    """One file per slice, `<slice>_mask.png` or `.tiff`, 0 and 255, or labels in the colours of their regions."""

    def __init__(self, folder: Path, suffix: str, regions: tuple[MaskRegion, ...] = ()) -> None:
        """Write into `folder`, which is there."""
        self._folder, self._suffix, self._regions = folder, suffix, regions

    def place(self, name: str) -> Path:
        """Where a slice's mask goes."""
        return self._folder / f"{name}{MASK_ENDING}{self._suffix}"

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Write the mask of one slice."""
        picture = Image.fromarray(label_map(mask, self._regions) * (1 if self._regions else 255))
        if self._regions:
            palette = np.zeros((256, 3), np.uint8)
            palette[[region.label for region in self._regions]] = colours(self._regions)
            picture.putpalette(palette.tobytes())
        if self._suffix == ".png":
            save_png(picture, self.place(name))
            return
        tags = ImageFileDirectory_v2()
        tags[_TIFF_DESCRIPTION] = INTENDED_USE
        picture.save(self.place(name), format="TIFF", compression="tiff_deflate", tiffinfo=tags)

    def finish(self) -> tuple[Path, ...]:
        """Give nothing: each file holds one slice."""
        return ()


def _reserve(stream: BinaryIO, size: int) -> None:
    """Write `size` zeros: in a file with holes, a full disk would end the process at a write through the memory map."""
    zeros = bytes(_BLOCK)
    for done in range(0, size, _BLOCK):
        stream.write(zeros[: size - done])


class NiftiMasks:
    """One `.nii.gz` on the voxels of the reference's file, 0 and 1, or labels."""

    def __init__(self, path: Path, header: NiftiHeader, regions: tuple[MaskRegion, ...] = ()) -> None:
        """Lay out an empty file beside `path`."""
        from nibabel import Nifti1Header, Nifti2Header

        self._path, self._raw, self._view = path, path.with_suffix("").with_suffix(".raw"), header.view
        self._slices, self._regions = header.shape[header.view.axes[0]], regions
        made = (Nifti1Header if max(header.shape) < 1 << 15 else Nifti2Header)()
        made.set_data_dtype(np.uint8)
        made.set_data_shape(header.shape)
        made.set_qform(header.qform, code=header.qform_code, strip_shears=True)
        made.set_sform(header.sform, code=header.sform_code)
        made.set_xyzt_units(xyz="mm")
        made["descrip"] = NIFTI_NOTE.encode()
        made.set_data_offset(int(made.single_vox_offset))
        start = made.binaryblock + b"\0" * (int(made.single_vox_offset) - len(made.binaryblock))
        with self._raw.open("wb") as stream:
            stream.write(start)
            _reserve(stream, math.prod(header.shape))
        self._start, self._shape = len(start), header.shape

    def add(self, index: int, name: str, mask: NDArray[np.bool_]) -> None:
        """Put the mask of one slice where it is stored."""
        voxels = np.memmap(self._raw, np.uint8, "r+", offset=self._start, shape=self._shape, order="F")
        place: list[slice | int] = [slice(None)] * 3
        place[self._view.axes[0]] = self._view.index(index, self._slices)
        voxels[tuple(place)] = self._view.stored(label_map(mask, self._regions))
        voxels.flush()

    def finish(self) -> tuple[Path, ...]:
        """Pack the file; the same masks give the same bytes."""
        with (
            self._raw.open("rb") as source,
            self._path.open("wb") as packed,
            gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0, compresslevel=6) as target,
        ):
            shutil.copyfileobj(source, target)
        self._raw.unlink()
        return (self._path,)
