"""DICOM: which files are, which frames of which series they hold, and series as sequences."""

from __future__ import annotations

from edgeseg.data.dicom.series import DicomSeries

__all__ = ["DicomSeries"]
