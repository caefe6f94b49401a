"""Atomic writes."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from edgeseg import artifacts
from edgeseg.errors import OutputError


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = artifacts.write_bytes(tmp_path / "a" / "b.bin", b"12345")
    assert path.read_bytes() == b"12345"
    assert artifacts.sha256_file(path) == artifacts.sha256_bytes(b"12345")
    assert list(path.parent.iterdir()) == [path]


def test_the_source_digest_follows_the_code_of_its_room_and_not_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data/reader.py", "stages/build.py", "cli/main.py"):
        artifacts.write_text(tmp_path / name, "old")
    monkeypatch.setattr(artifacts, "_PACKAGE", tmp_path)
    digest = artifacts.source_digest.__wrapped__
    whole, data = digest(), digest("data")
    artifacts.write_text(tmp_path / "cli" / "main.py", "new")
    assert (digest(), digest("data")) == (whole, data)
    artifacts.write_text(tmp_path / "stages" / "build.py", "new")
    assert digest() != whole
    assert digest("data") == data
    artifacts.write_text(tmp_path / "data" / "reader.py", "new")
    assert digest("data") != data


def test_a_writer_that_fails_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = artifacts.write_text(tmp_path / "model.onnx", "old")

    def fail() -> None:
        with artifacts.staged(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"cannot write .*b\.bin: No space left on device; free space"):
        artifacts.write_bytes(tmp_path / "b.bin", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    for path in (tmp_path / "out" / "x.json", tmp_path / "out" / "folder" / "x.json"):
        with pytest.raises(OutputError, match="a file stands where a folder is needed; choose another place"):
            artifacts.write_text(path, "{}")


def test_only_a_full_disk_is_told_to_free_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="Read-only file system; choose another place"):
        artifacts.make_dir(tmp_path / "out")


def test_shipped_folders_are_found() -> None:
    assert artifacts.shipped("models").is_dir()
    assert artifacts.shipped("calibration").is_dir()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600), (0o002, 0o664)])
def test_who_may_read_a_file_is_what_the_umask_says(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        path = artifacts.write_text(tmp_path / "a.json", "{}")
        artifacts.write_text(path, "[]")
        with artifacts.staged_tree(tmp_path / "out") as folder:
            (folder / "p").mkdir()
            artifacts.write_text(folder / "p" / "b.json", "{}")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
    assert (tmp_path / "out" / "p" / "b.json").stat().st_mode & 0o777 == mode
    assert (tmp_path / "out" / "p").stat().st_mode & 0o777 == 0o777 & ~umask


@pytest.mark.parametrize("name", ["p", "p/overlays"])
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str, *, there: bool) -> None:
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).symlink_to(tmp_path / "elsewhere")
    if there:
        (tmp_path / "elsewhere").mkdir()

    def write() -> None:
        with artifacts.staged_tree(tmp_path / "out") as folder:
            artifacts.write_text(folder / name / "mask.png", "x")

    with pytest.raises(OutputError, match="it is a link to another place"):
        write()
    assert not there or list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("kind", ["pipe", "link to a device", "link as /dev/stdout"])
def test_a_file_is_not_moved_over_what_is_none(tmp_path: Path, kind: str) -> None:
    """`--out /dev/null` as root would put a file in its place, for every program of the machine."""
    path = tmp_path / "out"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/full" if kind == "link to a device" else "/proc/self/fd/1")
    before = path.lstat()
    for write in (lambda: artifacts.write_text(path, "x"), lambda: artifacts.require_writable(path)):
        with pytest.raises(OutputError, match="it is a pipe, a device or a socket, and not a file; give the name"):
            write()
    assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
