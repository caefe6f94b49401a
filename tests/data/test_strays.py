"""What lies beside the files of many patients: each file is named with its patient, and the disk is asked once."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeseg.data.strays import unused_of
from edgeseg.data.tree import read_tree


def folder_of(root: Path, patients: int) -> Path:
    for number in range(patients):
        place = root / f"patient{number}"
        place.mkdir(parents=True)
        for name in ("slice_1.png", "slice_1_mask.png", "notes.txt"):
            (place / name).write_bytes(b"")
    (root / "about").mkdir()
    (root / "about" / "set.txt").write_text("a set")
    return root


def test_each_patient_has_the_files_of_its_own_folder_and_the_first_those_of_none(tmp_path: Path) -> None:
    root = folder_of(tmp_path / "set", 3)
    (tmp_path / "linked").symlink_to(root)
    for given in (root, tmp_path / "linked"):
        tree = read_tree(given)
        told = [[(one.name, one.files) for one in unused_of(tree, (root / f"patient{n}").resolve())] for n in range(3)]
        assert told[0] == [("patient0/slice_1_mask.png", 1), ("about/set.txt and 1 more", 2)]
        assert told[1:] == [[(f"patient{n}/slice_1_mask.png", 1), (f"patient{n}/notes.txt", 1)] for n in (1, 2)]


def test_the_disk_is_asked_once_however_many_patients_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, resolve = [0], Path.resolve

    def counted(path: Path, strict: bool = False) -> Path:
        asked[0] += 1
        return resolve(path, strict)

    tree = read_tree(folder_of(tmp_path, 6))
    folders = [(tmp_path / f"patient{number}").resolve() for number in range(6)]
    monkeypatch.setattr(Path, "resolve", counted)
    unused_of(tree, folders[0])
    first = asked[0]
    for folder in folders:
        unused_of(tree, folder)
    assert asked[0] == first
