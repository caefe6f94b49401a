"""Which folders of an archive are one study each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.data.tree import read_tree
from edgeseg.data.units import study_folders
from edgeseg.errors import DatasetError
from tests.stages.segment._heads import series


def units(root: Path, **options: Any) -> set[str]:
    return {one.relative_to(root).as_posix() for one in study_folders(read_tree(root), "dicom", **options)}


def flair(folder: Path, patient: str = "P1", study: str = "study") -> Path:
    return series(folder, "AX FLAIR", order=range(2), patient=patient, study=study)


LAYOUTS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "one study": (lambda root: [flair(root / "a"), flair(root / "b")], {"."}),
    "patients": (lambda root: [flair(root / "1" / "a" / "b"), flair(root / "2", "P2")], {"1", "2"}),
    "below one folder": (lambda root: [flair(root / "D" / "1"), flair(root / "D" / "2", "P2")], {"D/1", "D/2"}),
    "studies of patients": (
        lambda root: [
            flair(root / "1" / "x" / "s"),
            flair(root / "1" / "y", study="other"),
            flair(root / "2" / "z", "P2"),
        ],
        {"1/x", "1/y", "2"},
    ),
    "two in one folder": (
        lambda root: [flair(root / "1"), flair(root / "1" / "y", study="other"), flair(root / "2", "P2")],
        {"1", "2"},
    ),
    "one at the top": (lambda root: [flair(root), flair(root / "2", "P2")], {"."}),
    "crossed": (
        lambda root: [flair(root / f / p, p) for f in ("a", "b") for p in ("P1", "P2")],
        {"."},
    ),
    "no FLAIR but one": (lambda root: [flair(root / "1"), series(root / "2", "AX T1", patient="P2")], {"."}),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    make, expected = LAYOUTS[name]
    make(tmp_path / "root")
    assert units(tmp_path / "root") == expected
    monkeypatch.chdir(tmp_path / "root")
    assert units(Path()) == expected


def test_a_series_that_the_user_names_need_not_look_like_flair(tmp_path: Path) -> None:
    for patient in ("P1", "P2"):
        series(tmp_path / patient, "Brain 5", order=range(2), patient=patient)
    assert units(tmp_path) == {"."}
    assert units(tmp_path, reference_is_named=True) == {"P1", "P2"}


def test_a_damaged_file_beside_the_folders_is_nobodys(tmp_path: Path) -> None:
    whole = flair(tmp_path / "1") / "000.dcm"
    flair(tmp_path / "2", "P2")
    (tmp_path / "lost.dcm").write_bytes(whole.read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"lost\.dcm: it lies beside the folders of patients"):
        units(tmp_path)
