"""`edgeseg calibrate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeseg.artifacts import shipped
from edgeseg.cli.main import main
from edgeseg.stages.calibrate.ranges import read_ranges


def run(*arguments: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_it_leaves_set_and_ranges_and_says_what_they_rest_on(
    tiny_lgg: Path, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration"
    command = ("calibrate", "--data", tiny_lgg, "--checkpoint", tiny_checkpoint.parent, "--slices", 6, "--out", out)
    assert run(*command) == 0
    printed = capsys.readouterr().out
    assert "alphax-0.0625-half" in printed
    assert "min-max over 6 slices of 3 patients of kaggle-lgg" in printed
    path = out / "ranges" / "alphax-0.0625-half.json"
    assert str(path) in printed
    first = path.read_bytes()
    assert run(*command, "--json") == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert plain["weights_sha256"] == read_ranges(path).weights_sha256
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--fold", "1"), "--fold 1 was given without --split"),
        (("--slices", "0"), "0 calibration slices were asked for"),
        (("--checkpoint", "absent"), "no checkpoint at absent"),
        (("--split", str(shipped("calibration", "splits", "tcga-lgg-folds5.json"))), "none of the 6 patients"),
        (("--data", "absent"), "absent"),
    ],
    ids=["fold", "slices", "checkpoint", "split", "data"],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    arguments: tuple[str, str],
    message: str,
    tiny_lgg: Path,
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {"--data": str(tiny_lgg), "--checkpoint": str(tiny_checkpoint)} | dict([arguments])
    out = tmp_path / "calibration"
    assert run("calibrate", *(word for pair in given.items() for word in pair), "--out", out) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not out.exists()


def test_two_checkpoints_of_one_variant_are_refused(
    tiny_lgg: Path, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = ("--checkpoint", tiny_checkpoint, "--checkpoint", tiny_checkpoint.parent)
    assert run("calibrate", "--data", tiny_lgg, *twice, "--out", tmp_path / "out") == 2
    assert "two checkpoints hold weights of 'alphax-0.0625-half'" in capsys.readouterr().err


def test_without_a_checkpoint_all_shipped_weights_are_meant(
    tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("calibrate", "--data", tiny_lgg, "--out", tmp_path / "out") == 2
    assert str(shipped("models")) in capsys.readouterr().err
