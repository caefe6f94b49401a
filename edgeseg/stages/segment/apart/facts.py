"""What a process that reads a scan tells of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edgeseg.data.grid import View
from edgeseg.data.nifti import NiftiHeader
from edgeseg.results import UnusedFiles, UsedSequence

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NiftiFacts:
    """A `NiftiHeader` in plain numbers."""

    shape: tuple[int, int, int]
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    sform: Rows
    sform_code: int
    qform: Rows
    qform_code: int

    @classmethod
    def of(cls, header: NiftiHeader) -> NiftiFacts:
        """Take a header apart."""
        return cls(
            shape=header.shape,
            axes=header.view.axes,
            flips=header.view.flips,
            sform=tuple(map(tuple, header.sform.tolist())),
            sform_code=header.sform_code,
            qform=tuple(map(tuple, header.qform.tolist())),
            qform_code=header.qform_code,
        )

    def header(self) -> NiftiHeader:
        """Put the header together again."""
        return NiftiHeader(
            shape=self.shape,
            view=View(axes=self.axes, flips=self.flips),
            sform=np.array(self.sform, np.float64),
            sform_code=self.sform_code,
            qform=np.array(self.qform, np.float64),
            qform_code=self.qform_code,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanFacts:
    """What stands fast of a `SourcedScan` when it is open; `nifti` where its masks can be written on such voxels."""

    name: str
    kind: str
    volume: bool
    slice_names: tuple[str, ...]
    channels: tuple[str, ...]
    mask_formats: tuple[str, ...]
    pixel_mm: tuple[float, float] | None
    slice_mm: float | None
    used: tuple[UsedSequence, ...] = field(default=())
    unused: tuple[UnusedFiles, ...] = field(default=())
    nifti: NiftiFacts | None = None
