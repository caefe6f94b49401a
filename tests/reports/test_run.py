"""What `edgeseg run` prints of what it found."""

from __future__ import annotations

from dataclasses import replace

from edgeseg.reports.run import series_lines
from edgeseg.results import SeriesList, SeriesListing

FLAIR = SeriesListing(
    source="a",
    input="nifti",
    number=None,
    description="flair",
    plane="",
    slices=24,
    files=1,
    taken_for="flair",
    why=("its name",),
)


def _lines(*series: SeriesListing) -> list[str]:
    return [line.plain for line in series_lines(SeriesList(series=series, unused=()))]


def test_series_of_one_patient_need_no_heading_and_a_volume_is_no_plane() -> None:
    assert _lines(FLAIR) == ["-  'flair'  a volume, 24 slices: flair (its name)"]
    dicom = replace(FLAIR, input="dicom", number=3, plane="")
    assert _lines(dicom) == ["3  'flair'  plane unknown, 24 slices: flair (its name)"]


def test_series_of_several_patients_stand_below_their_folders() -> None:
    found = _lines(FLAIR, replace(FLAIR, source="b"), replace(FLAIR, taken_for=None))
    assert found[0] == "a:"
    assert found[3] == "b:"
    assert found[2].endswith("not used (its name)")
    assert len(found) == 5
