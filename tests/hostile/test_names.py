"""Names that command a terminal, pass for markup, or say who a patient is: none does any harm where it is printed."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgeseg.cli.main import main

NASTY = (
    "a[", "a[/b]", "[bold]x[/bold]", "[/]", "[link=file:///x]y", "\x1b]0;owned\x07", "\x1b[31mred", "\x9b2Jx", "x\x08",
    "one\nerror: two", "x\rerror: y", "\u202egnp.x", "\u2028x", "\U000e0041x", "|x|", "<b>x", "$\\frac$", "%s{0}",
)  # fmt: skip
FORBIDDEN = ("\x1b", "\x07", "\x9b", "\x08", "\r", "\u202e", "\u2028", "\U000e0041")


def _ran(capsys: pytest.CaptureFixture[str], *given: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in given])
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert not [char for char in FORBIDDEN if char in text]
    assert ended.value.code in (0, 1, 2)
    assert not any(line.startswith("error: two") for line in captured.err.splitlines())
    return int(ended.value.code), captured.out, captured.err


def _slice(folder: Path) -> None:
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((16, 24, 3), np.uint8)).save(folder / "s.png")


@pytest.mark.parametrize("name", NASTY)
def test_a_folder_or_file_of_that_name(
    tmp_path: Path, tiny_onnx: Callable[..., Path], capsys: pytest.CaptureFixture[str], name: str
) -> None:
    model, place = tiny_onnx(), tmp_path / "data" / name
    _slice(place)
    code, _, _ = _ran(capsys, "run", model, tmp_path / "data", "--out", tmp_path / "out")
    assert code == 0
    code, out, _ = _ran(capsys, "run", model, tmp_path / "data", "--out", tmp_path / "out", "--json")
    assert (code, len(json.loads(out)["patients"])) == (0, 1)
    (place / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    assert _ran(capsys, "run", model, place, "--out", tmp_path / "out")[0] == 2
    _slice(tmp_path / "data" / "good")
    assert _ran(capsys, "run", model, tmp_path / "data", "--out", tmp_path / "out")[0] == 1
    assert _ran(capsys, "run", "--list", place)[0] == 2
    (place / "model.onnx").write_bytes(model.read_bytes())
    assert _ran(capsys, "inspect", place / "model.onnx")[0] == 0
    for given in (("evaluate", model, "--data"), ("report",), ("compare",), ("data", "summary"), ("verify",)):
        assert _ran(capsys, *given, place)[0] == 2
    assert _ran(capsys, name)[0] == 2


def test_a_bar_shows_any_name(tmp_path: Path, tiny_onnx: Callable[..., Path]) -> None:
    """On a terminal: a folder called `a[/b]` is not markup, a title is not set, and the bar's own codes are none."""
    for name in ("a[", "[", "\x1b]0;owned\x07", "\x1b[31mred"):
        _slice(tmp_path / "data" / name)
    _slice(tmp_path / "data" / "a[" / "b]")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "edgeseg", "run", tiny_onnx(), tmp_path / "data", "--out", tmp_path / "out"]
    terminal = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen([*map(str, command)], stdout=theirs, stderr=theirs, env=terminal) as ran:
        os.close(theirs)
        said = b""
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:
                break
            said += block
            if not block:
                break
    os.close(ours)
    assert ran.returncode == 0
    assert b"\x1b]" not in said
    assert b"\x07" not in said
    assert b"\x1b[31mred" not in said
    assert b"\r\x1b[2K" in said
    assert rb"\u001b[2K" not in said


WHO = ("Mueller", "1970")


@pytest.fixture
def study(write_dicom: Callable[..., Path], scan_values: dict[str, np.ndarray]) -> Path:
    """Two series whose descriptions name a patient whom no other element does, and set the title of a terminal."""
    for number in (1, 2):
        write_dicom(
            f"study/{number}",
            scan_values["flair"],
            description="FLAIR Mueller Anna 1970 \x1b]0;owned\x07",
            SeriesNumber=number,
        )
    return write_dicom(
        "study/3", scan_values["flair"], description="Mueller 1970", SeriesNumber=3, modality="MUELLER1970"
    ).parent


def test_a_description_stands_in_no_message_or_result(
    study: Path, tmp_path: Path, tiny_onnx: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for options, code in (
        ((), 2),
        (("--flair-series", "1"), 0),
        (("--flair-series", "9"), 2),
        (("--flair-series", "3"), 2),
    ):
        found, out, err = _ran(capsys, "run", tiny_onnx(), study, "--out", tmp_path / "out", *options)
        assert (found, err * (found != code)) == (code, "")
        assert not [word for word in WHO if word in out + err]
    assert not [word for word in WHO if word in (tmp_path / "out" / "summary.json").read_text()]
    code, out, _ = _ran(capsys, "run", "--list", study)
    assert (code, "FLAIR Mueller Anna 1970" in out) == (0, True)


def test_what_pydicom_says_reaches_nobody() -> None:
    """It sets the level of its log as it is imported, which comes after the command line set it."""
    program = (
        "import contextlib, logging, sys\n"
        "from edgeseg.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main([*sys.argv[1:], '--version'])\n"
        "import pydicom\n"
        "for name in ('pydicom', 'pydicom.pixels.decoders.base', 'highdicom.seg', 'PIL.PngImagePlugin'):\n"
        "    logging.getLogger(name).critical('UID 1.2.3 Mueller')\n"
    )
    for debug in ((), ("--debug",)):
        done = subprocess.run([sys.executable, "-c", program, *debug], capture_output=True, text=True, check=True)
        assert "Mueller" not in done.stderr + done.stdout
