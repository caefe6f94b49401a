"""DICOM as a format of scans."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from edgeseg.data.candidate import Candidate
from edgeseg.data.dicom.files import ENDINGS, is_dicom
from edgeseg.data.dicom.listing import list_series, owner_of
from edgeseg.data.dicom.series import DicomSeries
from edgeseg.data.scan_format import Listed, ScanFormat


def _list(files: tuple[Path, ...], salt: str) -> Listed:
    found, others = list_series(files, salt)
    candidates = []
    for series in found:
        folders = {str(path.parent) for path in series.paths}
        source = os.path.commonpath(folders)
        candidates.append(
            Candidate(
                facts=series.facts(),
                files=tuple(series.paths),
                origin=series.origin,
                open=functools.partial(DicomSeries, series, source),
                uid=series.uid,
            )
        )
    return tuple(candidates), others


FORMAT = ScanFormat(name="dicom", is_file=is_dicom, list=_list, whole_tree=True, endings=ENDINGS, owner=owner_of)
