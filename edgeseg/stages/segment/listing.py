"""What `edgeseg run --list` shows: the series that paths hold, and what each would be taken for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edgeseg.data.candidate import Candidate
from edgeseg.data.formats import format_of
from edgeseg.data.open_scan import list_candidates
from edgeseg.data.strays import unused_of
from edgeseg.errors import DatasetError, OptionError
from edgeseg.results import SeriesList, SeriesListing, UnusedFiles
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.inputs import plan_folders


def list_series(paths: Iterable[Path] = (), *, options: RunOptions | None = None) -> SeriesList:
    """List series of DICOM and files of NIfTI; nothing is segmented, and no pixel is decoded.

    Args:
        paths: files, patients' folders, folders of patients.
        options: sequences that are named one by one are listed too.

    Raises:
        DatasetError: when a path does not exist, or holds pictures alone, of which there is no list.
        MissingExtraError: for DICOM without pydicom.
        OptionError: when there is no path.
    """
    options = options or RunOptions()
    given = tuple(dict.fromkeys([*paths, *options.sequences.values()]))
    if not given:
        raise OptionError("--list needs a path: name the folder whose series are to be listed")
    series: list[SeriesListing] = []
    unused: list[UnusedFiles] = []
    for path in given:
        for one in plan_folders(path):
            candidates, empty, tree = list_candidates(one)
            series += [_listing(candidate, str(one)) for candidate in candidates]
            unused += [*empty, *(unused_of(tree) if tree else ())]
    if not series:
        raise DatasetError(f"{given[0]}: there are no series to list; DICOM and NIfTI have some, pictures have none")
    return SeriesList(series=tuple(series), unused=tuple(unused))


def _listing(one: Candidate, source: str) -> SeriesListing:
    verdict, kind = one.judged(), format_of(one.files[0])
    return SeriesListing(
        source=source,
        input="" if kind is None else kind.name,
        number=one.facts.number,
        description=one.description,
        plane=one.plane,
        slices=one.facts.slices,
        files=len(one.files),
        taken_for=verdict.channel,
        why=verdict.why,
    )
