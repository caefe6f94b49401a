from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli.cache import app
from edgeseg.jsonio import from_json
from edgeseg.results import CacheList


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "edgeseg" / "slices" / "k[ey]"
    folder.mkdir(parents=True)
    (folder / "images.npy").write_bytes(bytes(2_500_000))
    return tmp_path / "edgeseg"


def test_what_is_kept_is_listed_with_its_size(root: Path, check_schema: Callable[[str, str], None]) -> None:
    done = CliRunner().invoke(app, ["list"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1].split() == ["slices/k[ey]", "1", "2.5"]
    assert done.stdout.splitlines()[-1] == f"2.5 MB are kept in {root}"
    done = CliRunner().invoke(app, ["list", "--json"])
    assert from_json(CacheList, done.stdout).size_bytes == 2_500_000
    check_schema("cache", done.stdout)


def test_clear_empties_it(root: Path) -> None:
    assert "2.5 MB were removed from" in CliRunner().invoke(app, ["clear"]).stdout
    assert list(root.rglob("*.npy")) == []
    assert CliRunner().invoke(app, ["list"]).stdout == f"0.0 MB are kept in {root}\n"


def test_a_cache_that_is_not_there_is_empty_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    for command in ("list", "clear"):
        assert CliRunner().invoke(app, [command]).exit_code == 0
    assert list(tmp_path.iterdir()) == []
