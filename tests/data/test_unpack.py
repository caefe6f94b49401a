"""Archives that are not what they should be: each is refused before anything is written, or leaves nothing outside."""

from __future__ import annotations

import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from edgeseg.data import unpack as module
from edgeseg.data.unpack import unpack
from edgeseg.errors import DatasetError

GOOD = "kaggle_3m/P/P_1.tif"


def refused(tmp_path: Path, match: str) -> None:
    to = tmp_path / "deep" / "to"
    to.mkdir(parents=True)
    with pytest.raises(DatasetError, match=match):
        unpack(tmp_path / "a.zip", to)
    assert list(to.iterdir()) == []
    assert [path.name for path in tmp_path.iterdir()] in (["a.zip", "deep"], ["deep", "a.zip"])


@pytest.mark.parametrize(
    "name",
    [
        "kaggle_3m/../evil", "../kaggle_3m/evil", "/kaggle_3m/evil", "kaggle_3m//evil", "kaggle_3m/./evil",
        "kaggle_3m\\..\\evil", "C:/kaggle_3m/evil", "kaggle_3m/a:b", "other/../../evil",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr(GOOD, "x")
        bundle.writestr(name, "x")
    refused(tmp_path, "leads out")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_links_and_special_files(tmp_path: Path, kind: int) -> None:
    entry = zipfile.ZipInfo("kaggle_3m/P/P_2.tif")
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr(GOOD, "x")
        bundle.writestr(entry, "/etc/passwd")
    refused(tmp_path, "link or a special file")


def test_two_files_of_one_name(tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr(GOOD, "x")
        bundle.writestr(GOOD, "y")
    refused(tmp_path, "two files of one name")


def test_more_members_than_a_data_set_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_MEMBERS", 3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        for number in range(4):
            bundle.writestr(f"kaggle_3m/P/P_{number}.tif", "x")
    refused(tmp_path, "4 members")


def test_a_bomb_is_refused_by_its_size_without_unpacking(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(GOOD, bytes((64 << 20) + 1))
    assert (tmp_path / "a.zip").stat().st_size < 100_000
    refused(tmp_path, "67 MB")


def test_many_files_that_are_too_much_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 3000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        for number in range(4):
            bundle.writestr(f"kaggle_3m/P/P_{number}.tif", bytes(1000))
    refused(tmp_path, "unpacks to")


def test_a_header_that_lies_about_the_size_gives_no_more_than_it_says(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(GOOD, bytes(1 << 20))
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace((1 << 20).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(DatasetError, match="damaged"):
        unpack(tmp_path / "a.zip", tmp_path / "to")
    assert sum(path.stat().st_size for path in (tmp_path / "to").rglob("*") if path.is_file()) <= 10


def test_an_encrypted_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr(GOOD, "x")
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    refused(tmp_path, "encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_methods_that_unpack_without_a_bound(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as bundle:
        bundle.writestr(GOOD, bytes(1000))
    refused(tmp_path, "cannot be bounded")


def test_damaged_data_is_no_fault_of_edgeseg(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(GOOD, bytes(range(256)) * 50)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    start = 30 + len(GOOD) + 9
    content[start : start + 60] = bytes(60)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DatasetError, match="damaged"):
        unpack(tmp_path / "a.zip", tmp_path / "to")
