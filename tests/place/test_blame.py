"""Errors that name the place that failed, and a remedy for that place."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edgeseg import artifacts
from edgeseg.errors import ArtifactError, OutputError, ScratchError
from edgeseg.place import scratch, scratch_file, write_error


class Usage(NamedTuple):
    """As `shutil.disk_usage` gives it."""

    total: int
    used: int
    free: int


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The scratch folder, whose disk is full; those of all others are not."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    def usage(path: Any) -> Usage:
        return Usage(100, 100, 0) if Path(path).is_relative_to(place) else Usage(10**12, 0, 10**12)

    monkeypatch.setattr("shutil.disk_usage", usage)
    return place


def test_a_full_output_is_told_to_choose_another(tmp_path: Path) -> None:
    assert "free space or choose another place with --out" in str(write_error(tmp_path / "out", FULL))


def test_a_full_scratch_folder_is_named_where_the_output_has_room(full: Path, tmp_path: Path) -> None:
    def write() -> None:
        with artifacts.staged_tree(tmp_path / "out"):
            raise FULL

    with pytest.raises(OutputError, match=rf"{full}: No space left .* set TMPDIR"):
        write()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "error",
    [
        FULL,
        OSError("9 requested and 4 written"),
        RuntimeError("cannot save"),
        ArtifactError("cannot save"),
        ValueError("0 of 9"),
    ],
)
def test_whatever_a_library_says_of_a_full_scratch_folder_it_is_named(full: Path, error: Exception) -> None:
    def work() -> None:
        with scratch("x"):
            raise error

    with pytest.raises(OutputError, match=rf"scratch files to {full}: .* set TMPDIR"):
        work()
    assert list(full.iterdir()) == []


def test_other_errors_pass_through_a_scratch_folder_with_room() -> None:
    for error in (ZeroDivisionError("x"), ArtifactError("x"), OSError(errno.ENOENT, "x", "y"), OutputError("x")):

        def work(error: Exception = error) -> None:
            with scratch():
                raise error

        with pytest.raises(type(error)):
            work()


def test_an_artifact_in_a_scratch_folder_does_not_blame_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, _data: bytes) -> int:
        raise FULL

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(OutputError, match="set TMPDIR"), scratch() as folder:
        artifacts.write_bytes(folder / "a.onnx", b"x")


def test_no_scratch_folder_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
    with pytest.raises(OutputError, match=r"absent: No such file or directory; .* set TMPDIR"):
        scratch().__enter__()


def test_the_cache_is_blamed_by_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for path, error in (
        (tmp_path / "edgeseg" / "x.json", FULL),
        (tmp_path / "out", OSError(errno.EACCES, "Permission denied", str(tmp_path / "edgeseg" / "x"))),
    ):
        assert "set XDG_CACHE_HOME to another folder" in str(write_error(path, error))
        assert "--out" not in str(write_error(path, error))


def test_another_file_is_blamed_by_its_name(tmp_path: Path) -> None:
    told = str(
        write_error(tmp_path / "out", OSError(errno.EACCES, "Permission denied", str(tmp_path / "in" / "a.png")))
    )
    assert f"cannot use {tmp_path / 'in' / 'a.png'}" in told
    assert "--out" not in told


def test_a_file_that_can_be_written_is_said_to_before_the_work(tmp_path: Path) -> None:
    artifacts.require_writable(tmp_path / "new" / "a.csv")
    assert list((tmp_path / "new").iterdir()) == []
    for place in (tmp_path, Path(os.devnull) / "a.csv"):
        with pytest.raises(OutputError):
            artifacts.require_writable(place)
    assert tempfile.gettempdir()


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A scratch folder in which files of more than 4096 bytes cannot be."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    real = os.posix_fallocate

    def refuse(handle: int, start: int, size: int) -> None:
        if size > 4096:
            raise FULL
        real(handle, start, size)

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    return tmp_path / "tmp"


def test_room_is_set_aside_before_a_map_is_written(no_room: Path) -> None:
    with scratch_file(4096) as file:
        assert os.fstat(file.fileno()).st_blocks * 512 >= 4096
    with pytest.raises(ScratchError, match=rf"{no_room}: .*No space left on device.*set TMPDIR"):
        scratch_file(1 << 20)


def test_a_full_scratch_disk_is_no_damage_of_a_packed_file(
    write_nifti: Any, scan_values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeseg.data.nifti import open_nifti

    path = write_nifti("flair.nii.gz", scan_values["flair"])

    class Full:
        """A file on a full disk."""

        def write(self, _content: bytes) -> int:
            raise FULL

        def close(self) -> None:
            """Nothing to do."""

    monkeypatch.setattr("tempfile.TemporaryFile", Full)
    with pytest.raises(ScratchError, match="set TMPDIR"):
        open_nifti(path)
