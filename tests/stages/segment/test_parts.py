"""An archive of several kinds is taken apart; one patient in several forms is refused as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.stages.segment.inputs import find_cases
from edgeseg.stages.segment.parts import parts
from tests.stages.segment.test_patients import make_patient

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("studies", "found"),
    [
        (("dicom/1", "nifti/1"), ["in"]),
        (("dicom/1", "dicom/2", "nifti/1"), ["dicom", "nifti"]),
        (("dicom/1", "nifti/1", "pictures/1"), ["dicom", "nifti", "pictures"]),
        (("a/dicom/1", "a/dicom/2", "a/nifti/1"), ["dicom", "nifti"]),
        (("dicom/1", "dicom/2", "dicom/3"), ["in"]),
        (("1/dicom", "2/dicom", "A/pictures", "B/pictures"), ["1", "2", "A", "B"]),
        (("1/dicom", "2/dicom", "A/pictures"), ["in"]),
        (("pictures/1", "pictures/2"), ["in"]),
        (("1/dicom", "1/nifti", "2/dicom", "2/nifti", "3/dicom"), ["dicom", "nifti", "dicom", "nifti", "3"]),
    ],
    ids=[
        "one patient",
        "two kinds",
        "three kinds",
        "deeper",
        "DICOM alone",
        "pictures beside DICOM",
        "one folder of pictures",
        "pictures alone",
        "by patient",
    ],
)
def test_parts_of_one_kind_each(
    write_dicom: Write, write_nifti: Write, scan_values: dict[str, Any], tmp_path: Path,
    studies: tuple[str, ...], found: list[str],
) -> None:  # fmt: skip
    values = scan_values["flair"]
    for study in studies:
        folder = tmp_path / "in" / study
        if "dicom" in study:
            write_dicom(f"in/{study}", values, description="FLAIR", study=study, patient=study)
        elif "nifti" in study:
            folder.mkdir(parents=True)
            write_nifti(f"in/{study}/flair.nii.gz", values)
        else:
            make_patient(folder, slices=8)
    assert [part.name for part in parts(tmp_path / "in")] == found


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    for name in ("P1/a", "P2/a", "P2/b"):
        make_patient(tmp_path / name)
    assert [case.patient for case in find_cases([tmp_path])] == ["P1_a", "P2_a", "b"]
