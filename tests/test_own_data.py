"""docs/how-to/own-data.md: every command of the page runs as it stands, in the order of the page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import highdicom
import pytest
from typer.testing import CliRunner

from edgeseg.checkpoint import read_checkpoint
from edgeseg.cli.main import app

pytestmark = pytest.mark.usefixtures("untraced", "shallow")  # the subject is the commands
ROOT = Path(__file__).resolve().parents[1]
PARTS = ["whole-tumour", "tumour-core", "enhancing"]
PAGE = ROOT / "docs" / "how-to" / "own-data.md"


def _section(title: str) -> list[list[str]]:
    """The words of each command of a section."""
    text = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    found = next(part for part in text if part.startswith(title))
    blocks = re.findall(r"^```console\n(.*?)^```", found, flags=re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.replace("\\\n", " ").splitlines()]


@pytest.mark.usefixtures("untraced", "shallow")
@pytest.mark.parametrize(
    ("title", "channels"),
    [
        ("BraTS+Another", ("pre", "flair", "post", "t2")),
        ("Three classes", ("pre", "flair", "post", "t2")),
        ("DICOM series", ("pre", "flair", "post", "t2")),
        ("A nnU-Net", ("pre", "flair")),
        ("Slices", ("pre", "flair")),
        ("Grey", ("grey",)),
    ],
    ids=["brats", "parts", "dicom", "nnunet", "plane", "grey"],
)
def test_the_commands_of_the_page_run(
    title: str,
    channels: tuple[str, ...],
    script: Callable[[Path], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = [words for one in title.split("+") for words in _section(one)]
    for program, *words in ran:
        if program == "python":
            script(ROOT / words[0]).main(words[1:])
            continue
        assert program == "edgeseg"
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"edgeseg {' '.join(words)}\n{result.output}\n{result.exception!r}"
    for seg in tmp_path.glob("masks/dicom/*/*_seg.dcm"):
        read = highdicom.seg.segread(seg)
        assert [read.get_segment_description(number).segment_label for number in read.segment_numbers] == PARTS
    assert bool(list(tmp_path.glob("masks/dicom/*/*_seg.dcm"))) == title.startswith("Three")
    run = next(words[words.index("--out") + 1] for words in ran if words[:2] == ["edgeseg", "train"])
    assert read_checkpoint(tmp_path / run / "weights.safetensors").header.image.channels == channels
