"""The cache: where it is, what takes its place, and clearing it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from edgeseg.errors import OutputError
from edgeseg.place import cache, cache_dir, cache_entries, clear_cache


@pytest.fixture(autouse=True)
def no_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    cache._temporary.cache_clear()


def test_it_follows_the_xdg_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "edgeseg"
    assert cache_dir().is_dir()
    assert list(cache_dir().iterdir()) == []


@pytest.mark.parametrize("home", ["/dev/null", "/proc/edgeseg", None])
def test_without_a_home_that_can_be_written_it_is_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, home: str | None
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home is None:
        monkeypatch.setattr(Path, "home", nobody)
    else:
        monkeypatch.setenv("HOME", home)
    with caplog.at_level(logging.WARNING):
        place = cache_dir()
        assert cache_dir() == place
    assert place.is_relative_to(tmp_path / "tmp")
    assert place.stat().st_mode & 0o077 == 0
    assert [record.getMessage().count("XDG_CACHE_HOME") for record in caplog.records] == [1]


def test_a_folder_of_somebody_else_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/dev/null")
    place = cache_dir()
    place.rmdir()
    (tmp_path / "theirs").mkdir()
    place.symlink_to(tmp_path / "theirs")
    cache._temporary.cache_clear()
    assert cache_dir() != place
    assert not cache_dir().is_symlink()


def test_a_variable_that_names_no_place_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/x")
    with pytest.raises(OutputError, match=r"cache /dev/null/x/edgeseg: .*; set XDG_CACHE_HOME to a folder"):
        cache_dir()


def test_what_is_kept_is_listed_and_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = cache_dir()
    (root / "slices" / "abc").mkdir(parents=True)
    (root / "slices" / "abc" / "images.npy").write_bytes(b"12345")
    (root / "slices" / "abc" / "index.json").write_bytes(b"{}")
    (root / "baseline-x.json").write_bytes(b"123")
    (tmp_path / "other").write_bytes(b"not edgeseg's")
    assert [(one.path, one.size_bytes, one.files) for one in cache_entries(root)] == [
        ("baseline-x.json", 3, 1),
        ("slices/abc", 7, 2),
    ]
    assert len(clear_cache(root)) == 2
    assert cache_entries(root) == ()
    assert (tmp_path / "other").is_file()
    assert cache_entries(tmp_path / "absent") == ()
