"""The formats that scans come in: a new one is a file with a `FORMAT`, and a line in `FORMATS`."""

from __future__ import annotations

from pathlib import Path

from edgeseg.data import nifti
from edgeseg.data.dicom import format as dicom
from edgeseg.data.scan_format import ScanFormat

FORMATS: tuple[ScanFormat, ...] = (
    nifti.FORMAT,
    dicom.FORMAT,
)
"""In the order in which they are asked whether a file is theirs."""


def format_of(path: Path) -> ScanFormat | None:
    """Find the format of a file; None for pictures and all else."""
    return next((one for one in FORMATS if one.is_file(path)), None)
