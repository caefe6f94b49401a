"""DICOM series as sequences: sorted by position, rescaled, and seen in the common orientation.

One series is one sequence; its frames may be files of their own or lie in one multi-frame file. Names, numbers and UIDs
that stand in the files reach no result: a patient is called by a salted hash of its id and study.
"""

from __future__ import annotations

import secrets
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom_files import Frame, SeriesFiles, frames_of, list_series, unreadable
from edgeseg.data.grid import Grid, View, common_view
from edgeseg.data.sequence import Plane
from edgeseg.errors import DatasetError

_SAME_SHARE, _GAP_SHARE, _UNEVEN_SHARE = 0.05, 1.5, 0.1


class DicomSeries:
    """One series; `checked` has to be called before slices are read.

    Attributes:
        alias: stands for patient and study in results.
        description: the series' own words and `+c` where a contrast agent is named; for messages to the user alone.
        frames: in stored order along the normal of the slices, once checked.
        view: from `(frame, row, column)` to the common orientation, once checked.
    """

    def __init__(self, files: SeriesFiles, source: str) -> None:
        """Keep what the headers say; nothing is checked yet."""
        self.source, self._files = source, files
        self.warnings: tuple[str, ...] = ()
        self.alias = f"patient-{files.study}"
        self.description = f"{files.description} +c" if files.contrast else files.description
        self.is_bytes = False
        self.frames: tuple[Frame, ...] = ()
        self.view = View(axes=(0, 1, 2), flips=(False, False, False))
        self._grid: Grid | None = None

    def checked(self) -> DicomSeries:
        """Sort the slices and find their grid.

        Raises:
            DatasetError: for another modality than MR, for slices that differ in size, orientation or spacing, lie
                twice at one place, are missing, or are not axial.
        """
        name = f"{self.source}: series '{self.description}'"
        if self._files.modality != "MR":
            raise DatasetError(f"{name} is {self._files.modality}; the network was trained on MR; choose an MR series")
        frames = frames_of(self._files, self.source)
        _require_alike(frames, name)
        first = frames[0]
        along_row, along_column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
        normal = np.cross(along_row, along_column)
        places = np.array([frame.position for frame in frames]) @ normal
        order = np.argsort(places, kind="stable")
        self.frames = tuple(frames[index] for index in order)
        step, self.warnings = _step(self.frames, places[order], normal, name)
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 3] = step, self.frames[0].position
        affine[:3, 1], affine[:3, 2] = along_column * first.pixel_mm[0], along_row * first.pixel_mm[1]
        self._grid, self.view = common_view((len(frames), first.rows, first.columns), affine, name)
        if self.view.axes[0] != 0:
            raise DatasetError(f"{name} is not axial; choose an axial series, or reformat it first")
        return self

    @property
    def grid(self) -> Grid:
        """Where the voxels are."""
        assert self._grid is not None, "checked() was not called"
        return self._grid

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.grid.shape

    def plane(self, index: int) -> Plane:
        """Read one slice, `(h, w) float64`: rescaled, and negated where black and white are exchanged.

        Raises:
            DatasetError: when the pixels cannot be decoded.
        """
        frame = self.frames[self.view.index(index, self.shape[0])]
        values = _decode(frame).astype(np.float64) * frame.slope + frame.intercept
        return np.asarray(self.view.plane(-values if frame.inverted else values), np.float64)

    def close(self) -> None:
        """Nothing is held open."""


def open_dicom_series(path: Path, *, salt: str | None = None, single: bool = False) -> tuple[DicomSeries, ...]:
    """List the series in a folder and below; with `single` there must be one, which is checked.

    Raises:
        MissingExtraError: without pydicom.
        DatasetError: when there are none, when they are of several patients or studies, or as `DicomSeries.checked`.
    """
    found = list_series(path, secrets.token_hex(16) if salt is None else salt)
    for what, count in (("patients", len({s.patient for s in found})), ("studies", len({s.study for s in found}))):
        if count > 1:
            raise DatasetError(f"{path}: the DICOM files are of {count} {what}; give each a folder of its own")
    series = tuple(DicomSeries(files, str(path)) for files in found)
    if not single:
        return series
    if len(series) > 1:
        several = ", ".join(f"'{one.description}'" for one in series)
        raise DatasetError(f"{path}: {len(series)} series are mixed here ({several}); give each a folder of its own")
    return (series[0].checked(),)


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


def _step(
    frames: tuple[Frame, ...], places: NDArray[np.float64], normal: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the way from one slice to the next in mm, and what is odd."""
    if len(frames) == 1:
        return normal * frames[0].thickness_mm, ()
    gaps = np.diff(places)
    usual = float(np.median(gaps))
    if not np.isfinite(usual) or gaps.min() <= _SAME_SHARE * max(usual, 1e-3):
        raise DatasetError(
            f"{name} has two slices at one place: a file was copied twice, or it holds several echoes or times; leave "
            "one of each"
        )
    if gaps.max() > _GAP_SHARE * usual:
        raise DatasetError(
            f"{name} lacks slices: two neighbours are {gaps.max():.1f} mm apart and the others {usual:.1f} mm; export "
            "it again"
        )
    step = (np.array(frames[-1].position) - np.array(frames[0].position)) / (len(frames) - 1)
    if gaps.max() - gaps.min() > _UNEVEN_SHARE * usual:
        return step, (f"the distance between slices varies from {gaps.min():.2f} to {gaps.max():.2f} mm",)
    return step, ()


def _decode(frame: Frame) -> NDArray[np.generic]:
    from pydicom.pixels import pixel_array

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = np.asarray(pixel_array(frame.path, index=frame.number, raw=True))
    except Exception as error:
        raise unreadable(frame.path, error) from error
    if values.shape != (frame.rows, frame.columns):
        raise DatasetError(f"{frame.path}: its pixels are not the {frame.rows} x {frame.columns} that its header says")
    return values
