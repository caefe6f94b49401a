from __future__ import annotations

import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeseg.data import fetch as fetch_module
from edgeseg.data.fetch import fetch, require_credentials, require_free, staged_folder
from edgeseg.data.unpack import unpack
from edgeseg.errors import DatasetError, MissingExtraError, OutputError

CLIENT = """
import os, shutil, sys
def main():
    assert sys.stdin.read() == ""
    folder = sys.argv[sys.argv.index("-p") + 1]
    {body}
"""
COPIES = "shutil.copy(os.environ['TEST_ARCHIVE'], os.path.join(folder, 'lgg-mri-segmentation.zip'))"


def archive(
    source: Path, path: Path, prefixes: tuple[str, ...] = ("kaggle_3m", "lgg-mri-segmentation/kaggle_3m")
) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for file in sorted((source / "kaggle_3m").rglob("*")):
            for prefix in prefixes:
                if file.is_file():
                    bundle.write(file, f"{prefix}/{file.relative_to(source / 'kaggle_3m')}")
    return path


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for Kaggle's client, installed for this process and its children."""
    package = tmp_path / "site" / "kaggle"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "kaggle", raising=False)
    monkeypatch.setenv("KAGGLE_USERNAME", "someone")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    monkeypatch.setattr(fetch_module, "_POLL_SECONDS", 0.02)

    def behaves(body: str) -> None:
        (package / "cli.py").write_text(CLIENT.format(body=body))

    return SimpleNamespace(behaves=behaves)


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


def leftovers(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def test_whole_set_is_fetched_once(
    tiny_lgg: Path, tmp_path: Path, client: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_ARCHIVE", str(archive(tiny_lgg, tmp_path / "a.zip")))
    client.behaves(COPIES)
    stages: list[str] = []
    sizes: list[int] = []
    result = fetch(tmp_path / "out" / "set", say=stages.append, progress=lambda size, _total, _what: sizes.append(size))
    assert stages == ["downloading", "unpacking", "verifying"]
    assert sizes[-1] == result.download_size_bytes == (tmp_path / "a.zip").stat().st_size
    assert (result.verification.patients, result.verification.slices) == (6, 32)
    assert leftovers(tmp_path / "out") == ["set"]
    assert leftovers(tmp_path / "out" / "set") == ["kaggle_3m"]
    assert Path(result.path).is_dir()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise SystemExit('HTTPSConnectionPool: Max retries exceeded (NameResolutionError)')", "no network"),
        ("raise SystemExit('401 Client Error: Unauthorized')", "refused the credentials"),
        ("raise SystemExit('403 - Forbidden')", "refused the credentials"),
        ("raise OSError(28, 'No space left on device')", "disk is full"),
        ("import no_such_module_at_all", "does not start"),
        ("raise SystemExit('something else')", "something else"),
        ("pass", "it said nothing"),
        ("open(os.path.join(folder, 'lgg-mri-segmentation.zip'), 'wb').write(b'PK half')", "damaged"),
    ],
)
def test_failure_is_explained_and_leaves_nothing(
    tmp_path: Path, client: SimpleNamespace, body: str, message: str
) -> None:
    client.behaves(body)
    with pytest.raises(DatasetError, match=message):
        fetch(tmp_path / "out" / "set")
    assert leftovers(tmp_path / "out") == []


def test_damaged_set_is_not_kept(
    tiny_lgg: Path, tmp_path: Path, client: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    next((tiny_lgg / "kaggle_3m").glob("*/*_3_mask.tif")).unlink()
    monkeypatch.setenv("TEST_ARCHIVE", str(archive(tiny_lgg, tmp_path / "a.zip")))
    client.behaves(COPIES)
    with pytest.raises(DatasetError, match=r"_3\.tif: this slice has no mask"):
        fetch(tmp_path / "out" / "set")
    assert leftovers(tmp_path / "out") == []


def test_absent_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgeseg\[kaggle\]'"):
        fetch(tmp_path / "set")
    assert leftovers(tmp_path) == []


def test_absent_credentials_are_named(tmp_path: Path, client: SimpleNamespace, bare_home: Path) -> None:
    with pytest.raises(DatasetError, match="no Kaggle credentials"):
        fetch(tmp_path / "out" / "set")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("present", "absent"), [("KAGGLE_USERNAME", "KAGGLE_KEY"), ("KAGGLE_KEY", "KAGGLE_USERNAME")])
def test_half_of_the_credentials_is_named(tmp_path: Path, present: str, absent: str) -> None:
    with pytest.raises(DatasetError, match=f"{present} is set and {absent} is not"):
        require_credentials({present: "x"}, tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"username": "a"}', '{"key": "a"}', '{"username": "", "key": "b"}']
)
def test_unusable_credentials_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text(content)
    with pytest.raises(DatasetError, match=r"kaggle\.json: the Kaggle credentials"):
        require_credentials({}, tmp_path)


@pytest.mark.parametrize("place", [".kaggle/kaggle.json", ".config/kaggle/kaggle.json", ".kaggle/access_token"])
def test_credentials_on_disk_are_found(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(json.dumps({"username": "a", "key": "b"}))
    require_credentials({}, tmp_path)


def test_credentials_in_the_environment_are_found(tmp_path: Path) -> None:
    require_credentials({"KAGGLE_USERNAME": "a", "KAGGLE_KEY": "b"}, tmp_path)
    require_credentials({"KAGGLE_API_TOKEN": "a"}, tmp_path)
    (tmp_path / "kaggle.json").write_text(json.dumps({"username": "a", "key": "b"}))
    require_credentials({"KAGGLE_CONFIG_DIR": str(tmp_path)}, tmp_path / "none")


def test_taken_destination_is_refused_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="not empty"):
        fetch(tmp_path)
    with pytest.raises(OutputError, match="in the way"):
        require_free(tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_archive_of_another_layout_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr("other/file.txt", "x")
    with pytest.raises(DatasetError, match="kaggle_3m"):
        unpack(tmp_path / "a.zip", tmp_path / "to")


def test_archive_cannot_write_outside(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as bundle:
        bundle.writestr("kaggle_3m/../../evil.txt", "x")
    (tmp_path / "deep" / "to").mkdir(parents=True)
    with pytest.raises(DatasetError, match="leads out"):
        unpack(tmp_path / "a.zip", tmp_path / "deep" / "to")
    assert leftovers(tmp_path / "deep") == ["to"]
    assert leftovers(tmp_path / "deep" / "to") == []


def test_only_the_nested_folder_will_do(tiny_lgg: Path, tmp_path: Path) -> None:
    unpack(archive(tiny_lgg, tmp_path / "a.zip", ("lgg-mri-segmentation/kaggle_3m",)), tmp_path / "to")
    assert leftovers(tmp_path / "to") == ["kaggle_3m"]


def test_staged_folder_fills_an_empty_one_and_vanishes_on_failure(tmp_path: Path) -> None:
    dest = tmp_path / "set"
    dest.mkdir()
    with staged_folder(dest) as temporary:
        (temporary / "a").write_text("a")
        assert leftovers(dest) == []
    assert leftovers(dest) == ["a"]

    def interrupted() -> None:
        with staged_folder(tmp_path / "other") as temporary:
            (temporary / "a").write_text("a")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert leftovers(tmp_path) == ["set"]


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), staged_folder(tmp_path / "file" / "set"):
        pass
