"""Sizes and directions that no scanner writes would move or stretch every mask: they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from edgeseg.data.dicom.frames import frames_of
from edgeseg.data.dicom.listing import list_series
from edgeseg.errors import DatasetError
from tests.stages.segment._heads import series


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        pytest.param("PixelSpacing", [-0.94, 0.94], "a distance below zero", id="negative"),
        pytest.param("ImageOrientationPatient", [2, 0, 0, 0, 2, 0], "has the length 2 and 1 is needed", id="long"),
        pytest.param("ImageOrientationPatient", [0, 0, 0, 0, 0, 0], "has the length 0 and 1 is needed", id="none"),
        pytest.param("ImageOrientationPatient", [1, 0, 0, 0, 0.999, 0], None, id="rounded"),
    ],
)
def test_sizes_and_directions_that_are_none(name: str, value: list[float], told: str | None, tmp_path: Path) -> None:
    def edit(one: Dataset) -> None:
        setattr(one, name, value)

    folder = series(tmp_path / "s", "AX FLAIR", edit=edit)
    (found,), _ = list_series(sorted(folder.iterdir()), "x")
    if told is None:
        assert len(frames_of(found, "s")) == len(found.paths)
        return
    with pytest.raises(DatasetError, match=told):
        frames_of(found, "s")
