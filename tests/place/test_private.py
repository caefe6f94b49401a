from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from edgeseg.errors import OutputError
from edgeseg.place import cache, cache_dir, private_folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_cache_is_the_users_alone_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = os.umask(umask)
    try:
        assert _mode(cache_dir()) == 0o700
    finally:
        os.umask(before)


def test_one_that_is_open_to_others_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "edgeseg").mkdir()
    (tmp_path / "edgeseg").chmod(0o777)
    assert _mode(cache_dir()) == 0o700


def test_one_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place, me = cache_dir(), os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(OutputError, match=r"belongs to another user; set XDG_CACHE_HOME to a folder"):
        cache_dir()
    with pytest.raises(OutputError, match=r"belongs to another user; choose a folder of your own"):
        private_folder(place)


def test_one_of_somebody_else_at_home_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(cache, "why_not_private", lambda _path: "it belongs to another user")
    cache._temporary.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert cache_dir().is_relative_to(tmp_path / "tmp")
    assert "belongs to another user" in caplog.text


def test_a_file_in_its_place_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(OutputError, match="cannot keep files in"):
            private_folder(path)
