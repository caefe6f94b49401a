"""One sequence as grey pictures: PNG or TIFF of 8 or 16 bits, or JPEG of 8, one file per slice.

Such files do not say where they are or how large a pixel is; the order is that of the numbers in their names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeseg.data.listing import visible_files
from edgeseg.data.origin import Origin
from edgeseg.data.sequence import Plane
from edgeseg.data.slice_file import SUFFIXES, is_jpeg, read_grey
from edgeseg.data.slice_names import doubts_of
from edgeseg.data.tree import MASK_ENDING
from edgeseg.errors import DatasetError, ImageError


class GreyStack:
    """A folder of grey pictures, or one; masks by their names, and what lies in folders below, are no part of it."""

    kind, mask_formats, origin = "grey slices", ("png", "tiff"), Origin()

    def __init__(self, path: Path) -> None:
        """List the files and read the first.

        Raises:
            DatasetError: when there are none.
            ImageError: when the first is no grey picture.
        """
        self.source, self.grid = str(path), None
        try:
            listed = visible_files(path, SUFFIXES) if path.is_dir() else [path]
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror}); change its permissions") from error
        self._files = [file for file in listed if file == path or not file.stem.endswith(MASK_ENDING)]
        if not self._files:
            raise DatasetError(
                f"{path}: the folder holds no slices ({', '.join(sorted(SUFFIXES))}), and neither NIfTI nor DICOM; "
                "name the file or the folder of one sequence"
            )
        first = read_grey(self._files[0])
        self.shape = (len(self._files), first.shape[0], first.shape[1])
        self.is_bytes = first.dtype == np.uint8
        jpegs = sum(map(is_jpeg, self._files))
        self.warnings = (
            *doubts_of([file.stem for file in self._files]),
            *([f"{jpegs} of {len(self._files)} slices are JPEG, which blurs edges"] if jpegs else []),
        )

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`.

        Raises:
            ImageError: when it is no grey picture, or of another size or depth than the first.
        """
        pixels = read_grey(self._files[index])
        if pixels.shape != self.shape[1:] or (pixels.dtype == np.uint8) != self.is_bytes:
            raise ImageError(
                f"{self._files[index]}: the slice is {pixels.shape[0]} x {pixels.shape[1]} of {pixels.dtype} and the "
                f"first {self.shape[1]} x {self.shape[2]}; all slices of a sequence must have one size and depth"
            )
        return pixels.astype(np.float64)

    def close(self) -> None:
        """Nothing is held open."""
