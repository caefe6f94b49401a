"""DICOM series as sequences: sorted by position, rescaled, and seen in the common orientation.

One series is one sequence; its frames may be files of their own or lie in one multi-frame file. Names, numbers and UIDs
that stand in the files reach no result: a patient is called by a salted hash of its id and study.
"""

from __future__ import annotations

import numpy as np

from edgeseg.data.dicom.alike import odd_headers, require_one_owner
from edgeseg.data.dicom.frames import Frame, frames_of
from edgeseg.data.dicom.listing import SeriesFiles
from edgeseg.data.dicom.pixels import Pixels
from edgeseg.data.dicom.spacing import stacked
from edgeseg.data.grid import Grid, common_view
from edgeseg.data.sequence import Plane
from edgeseg.errors import DatasetError


class DicomSeries:
    """One series.

    Attributes:
        frames: in the order of their places.
        view: from `(frame, row, column)` to the common orientation.
        origin: whose it is, as hashes.
    """

    kind, mask_formats, is_bytes = "dicom", ("dicom-seg", "png", "tiff"), False

    def __init__(self, files: SeriesFiles, source: str) -> None:
        """Sort the slices and find their grid.

        Raises:
            DatasetError: for another modality than MR, a mosaic, a file that is cut short, slices that differ in size
                or orientation or lie twice at one place, or a volume that cannot be seen as axial slices.
        """
        self.source, self.origin = source, files.origin
        name, facts = f"{source}: {files.name}", files.facts()
        if facts.modality != "MR":
            raise DatasetError(f"{name} is {facts.modality}; the network was trained on MR; choose an MR series")
        if "MOSAIC" in facts.image_type:
            raise DatasetError(
                f"{name} is a Siemens mosaic, many slices in one picture; convert it first, such as with dcm2niix"
            )
        if files.cut:
            raise DatasetError(f"{files.cut[0]}: its pixels end too early; the file is cut short; copy it again")
        require_one_owner(files.headers, files.paths, name)
        frames = frames_of(files, source)
        _require_alike(frames, name)
        stack = stacked(frames, name)
        self.frames: tuple[Frame, ...] = stack.frames
        first = self.frames[0]
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 3] = stack.step_mm, first.position
        affine[:3, 1] = np.array(first.orientation[3:]) * first.pixel_mm[0]
        affine[:3, 2] = np.array(first.orientation[:3]) * first.pixel_mm[1]
        shape = (len(frames), first.rows, first.columns)
        self._grid, self.view = common_view(shape, affine, name, stack.steps, "".join(stack.warnings[:1]))
        self.warnings = (*odd_headers(files.headers), *stack.warnings, *_count_claimed(files, len(frames)))
        self._pixels = Pixels(self.frames)

    @property
    def grid(self) -> Grid:
        """Where the voxels are."""
        return self._grid

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self._grid.shape

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`: rescaled, black and white put right.

        Raises:
            DatasetError: when the pixels cannot be decoded.
        """
        number = self.view.index(index, self.shape[0])
        if self.view.axes[0] == 0:
            stored = self._pixels.frame(number)
        else:
            stored = np.take(self._pixels.volume(), number, axis=self.view.axes[0]).astype(np.float64)
        return np.asarray(self.view.plane(stored), np.float64)

    def close(self) -> None:
        """Let go of temporary files."""
        self._pixels.close()


def _require_alike(frames: list[Frame], name: str) -> None:
    first = frames[0]
    for frame in frames:
        if (frame.rows, frame.columns) != (first.rows, first.columns):
            raise DatasetError(
                f"{name} mixes slices of {first.rows} x {first.columns} and {frame.rows} x {frame.columns}"
            )
        if not np.allclose(frame.orientation, first.orientation, atol=1e-3):
            raise DatasetError(f"{name} mixes orientations, as a localiser does; choose a series of parallel slices")
        if not np.allclose(frame.pixel_mm, first.pixel_mm, rtol=1e-3) or frame.inverted != first.inverted:
            raise DatasetError(f"{name} mixes pixel spacings or photometric interpretations; export it again")


def _count_claimed(files: SeriesFiles, frames: int) -> tuple[str, ...]:
    try:
        claimed = max(int(header.get("ImagesInAcquisition") or 0) for header in files.headers)
    except (TypeError, ValueError):
        return ()
    if claimed <= frames:
        return ()
    return (f"slices seem to be missing: the headers say {claimed} images and there are {frames}",)
