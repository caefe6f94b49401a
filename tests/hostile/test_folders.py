"""`edgeseg run` on folders that nobody vouches for: exit code 2 and one line, in bounded time and memory."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Part = Callable[[str], ModuleType]
Place = Callable[[Path], Any]


def _socket(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may have 107 characters
    try:
        made.bind(path.name)
    finally:
        os.chdir(here)
    return made


@pytest.fixture
def model(part: Part, contract: str, tmp_path: Path) -> Path:
    path = tmp_path / "plain.onnx"
    path.write_bytes(part("models").plain(contract))
    return path


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("slice.png", os.mkfifo),
        ("slice.tif", lambda path: path.symlink_to("/dev/zero")),
        ("flair.nii.gz", os.mkfifo),
        ("slice.jpg", _socket),
    ],
)
def test_what_is_no_file_is_not_waited_for(name: str, make: Place, model: Path, part: Part, tmp_path: Path) -> None:
    watch, path = part("watch"), tmp_path / "given" / name
    path.parent.mkdir()
    held = make(path)
    option = ("--flair", path) if "flair" in name else (path,)
    try:
        watch.require_refused(*watch.edgeseg("run", model, *option, "--out", tmp_path / "out"))
    finally:
        if held is not None:
            held.close()


def test_a_pipe_in_a_folder_of_slices_is_passed_over(model: Path, part: Part, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "slice_1.png").write_bytes(part("pictures").png(16, 24))
    os.mkfifo(given / "slice_2.png")
    code, told, _ = part("watch").edgeseg("run", model, given, "--out", tmp_path / "out")
    assert code == 0, told
    assert (tmp_path / "out" / "given" / "slice_1_mask.png").is_file()


@pytest.mark.parametrize("kind", ["model", "contract"])
def test_a_pipe_in_the_place_of_a_document_is_not_waited_for(
    kind: str, model: Path, part: Part, tmp_path: Path
) -> None:
    watch, pipe = part("watch"), tmp_path / ("pipe.onnx" if kind == "model" else "pipe.json")
    os.mkfifo(pipe)
    slice_1 = tmp_path / "slice_1.png"
    slice_1.write_bytes(part("pictures").png(16, 24))
    words = (pipe, slice_1) if kind == "model" else (model, slice_1, "--contract", pipe)
    watch.require_refused(*watch.edgeseg("run", *words, "--out", tmp_path / "out"))


def _write(folder: Path, *files: bytes, suffix: str = ".dcm") -> None:
    folder.mkdir()
    for number, content in enumerate(files):
        (folder / f"flair_{number}{suffix}").write_bytes(content)


FOLDERS: dict[str, tuple[str, str, Callable[[Any], bytes]]] = {
    "tiff-frames": (".tif", "pictures", lambda p: p.tiff_good_then_many_frames()),
    "tiff-tags": (".tif", "pictures", lambda p: p.tiff_tags_share_their_value()),
    "jpeg-scans": (".jpg", "pictures", lambda p: p.jpeg_many_scans()),
    "dicom-deep": (".dcm", "dicom", lambda d: d.deep_sequence()),
    "dicom-items": (".dcm", "dicom", lambda d: d.many_items_of_known_sequence()),
    "dicom-deflated": (".dcm", "dicom", lambda d: d.deflated(1 << 28)),
    "dicom-rle": (".dcm", "dicom", lambda d: d.packed(d.RLE, d.rle(1 << 28))),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_refused_without_an_option(name: str, model: Path, part: Part, tmp_path: Path) -> None:
    watch = part("watch")
    suffix, family, make = FOLDERS[name]
    _write(tmp_path / "given", make(part(family)), suffix=suffix)
    watch.require_refused(*watch.edgeseg("run", model, tmp_path / "given", "--out", tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_what_hangs_is_killed_where_a_folder_is_not_trusted(model: Path, part: Part, tmp_path: Path) -> None:
    """Each header is within bounds, and there are many."""
    watch, dicom = part("watch"), part("dicom")
    _write(tmp_path / "given", *[dicom.many_elements(95_000)] * 16)
    words = ("run", model, tmp_path / "given", "--out", tmp_path / "out", "--untrusted")
    code, told, seen = watch.edgeseg(*words)
    assert (code, told.count("error:")) == (2, 1), told
    assert seen.peak_mb < watch.MOST_MB


@pytest.fixture
def study(part: Part, tmp_path: Path) -> Path:
    dicom = part("dicom")
    _write(tmp_path / "study", *(dicom.native(number=number) for number in range(1, 6)))
    return tmp_path / "study"


def test_the_masks_are_the_same_wherever_a_folder_is_read(model: Path, part: Part, study: Path, tmp_path: Path) -> None:
    watch, masks = part("watch"), []
    for name, more in (("here", ()), ("apart", ("--untrusted",))):
        out = tmp_path / name
        code, told, _ = watch.edgeseg("run", model, study, "--out", out, "--format", "png", *more)
        assert code == 0, told
        masks.append({path.name: path.read_bytes() for path in sorted(out.rglob("*.png"))})
    assert masks[0] == masks[1]
    assert len(masks[0]) == 5
