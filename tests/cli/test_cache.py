from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeseg.cli.cache import app
from edgeseg.errors import OutputError
from edgeseg.jsonio import from_json
from edgeseg.place import cache_dir
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


def test_clear_is_refused_while_another_process_uses_the_cache(root: Path) -> None:
    uses = "from edgeseg.place import cache_dir; cache_dir(); print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", uses], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"ready\n"
        done = CliRunner().invoke(app, ["clear"])
        assert isinstance(done.exception, OutputError)
        assert f"{root}: another run of edgeseg uses the cache" in str(done.exception)
        assert list(root.rglob("*.npy"))
        other.communicate(b"\n")
    assert CliRunner().invoke(app, ["clear"]).exit_code == 0
    assert not list(root.rglob("*.npy"))


def test_what_this_process_used_is_no_hindrance_and_is_made_anew(root: Path) -> None:
    assert cache_dir() == cache_dir() == root
    assert CliRunner().invoke(app, ["clear"]).exit_code == 0
    assert cache_dir() == root


def test_a_cache_that_is_not_there_is_empty_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    for command in ("list", "clear"):
        assert CliRunner().invoke(app, [command]).exit_code == 0
    assert list(tmp_path.iterdir()) == []
