"""Two runs into one folder: the second is refused before it does anything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeseg.errors import OutputError
from edgeseg.place import claimed
from edgeseg.specs import BuildSpec, VariantSpec
from edgeseg.stages.build import build
from edgeseg.stages.compress import compress, compress_folds
from edgeseg.stages.folds import train_folds
from edgeseg.stages.train import average, train

JOBS: dict[str, Callable[[Path], Any]] = {
    "train": lambda out: train(None, None, out=out, train_patients=(), validation_patients=()),  # type: ignore[arg-type]
    "train folds": lambda out: train_folds((), out=out),
    "average": lambda out: average((), out=out),
    "compress": lambda out: compress(None, None, None, out=out),  # type: ignore[arg-type]
    "compress folds": lambda out: compress_folds((), None, None, out=out),  # type: ignore[arg-type]
    "build": lambda out: build(BuildSpec(variant=VariantSpec(), targets=("onnx-fp32",), out=out)),
}


@pytest.mark.parametrize("job", JOBS)
def test_a_folder_that_another_run_holds_is_refused(tmp_path: Path, job: str) -> None:
    with claimed(tmp_path / "out"):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(OutputError, match=r"another run of edgeseg \(process \d+\) writes there"):
            JOBS[job](tmp_path / "out")
        assert sorted(tmp_path.rglob("*")) == before


def test_a_process_that_helps_another_does_not_hold_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", "1")
    from edgeseg.errors import SplitError

    with claimed(tmp_path / "out"), pytest.raises(SplitError):
        JOBS["train"](tmp_path / "out")
    monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", "0")
    with claimed(tmp_path / "out"), pytest.raises(OutputError):
        JOBS["train"](tmp_path / "out")


def test_of_two_trainings_that_start_together_one_is_refused(tiny_lgg: Path, tmp_path: Path) -> None:
    """Both from the command line into one new folder; the weights are those of the one that says it is done."""
    out = tmp_path / "out"
    common = ["train", "--data", str(tiny_lgg), "--cache", str(tmp_path / "cache"), "--out", str(out)]
    small = ["--epochs", "2", "--steps-per-epoch", "2", "--crop-px", "64", "--batch-size", "2"]
    runs = [edgeseg([*common, *small, "--seed", str(seed)]) for seed in (1, 2)]
    said = [run.communicate(timeout=300)[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 2], said
    loser = next(index for index, run in enumerate(runs) if run.returncode == 2)
    assert "writes there" in said[loser] or "already holds a run" in said[loser]


def edgeseg(arguments: list[str]) -> subprocess.Popen[str]:
    """Start a command in a process of its own, where every U has one level."""
    code = "from tests import _shallow\nfrom edgeseg.cli.main import main\nwith _shallow.everywhere(): main()"
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=root
    )
