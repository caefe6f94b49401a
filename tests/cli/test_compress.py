"""What `edgeseg compress` says of one run and of folds, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from edgeseg.checkpoint import read_checkpoint
from edgeseg.cli.main import main
from edgeseg.data.kaggle_lgg import KaggleLgg
from edgeseg.jsonio import from_json
from edgeseg.results import CompressResult, FoldsCompressResult

pytestmark = pytest.mark.usefixtures("untraced", "shallow")
SETTINGS = ("multiple=2", "batches=1", "steps-per-epoch=1")
CUT = ("--channel-prune", "0.6", "--epochs", "1", *(part for setting in SETTINGS for part in ("--set", setting)))


@pytest.fixture
def folds(tiny_lgg: Path, make_folds: Callable[..., Path]) -> Path:
    """Two folds that hold out one patient each."""
    patients = KaggleLgg(tiny_lgg).patients
    return make_folds((patients[3:], patients[:1]), (patients[3:], patients[1:2]))


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main(["compress", *(str(a) for a in arguments)])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_one_run_prints_its_steps_and_where_to_go_on(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ("--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", tmp_path / "out")
    assert run(folds / "fold0", *places, *CUT) == 0
    out, _ = capsys.readouterr()
    slug = read_checkpoint(tmp_path / "out").header.variant.slug
    assert max(len(line) for line in out.splitlines() if str(tmp_path) not in line) <= 80
    assert f"alphax-0.0625-half -> {slug}" in out
    assert "given" in out
    assert f"next: edgeseg build --from {tmp_path / 'out'} --target tflite-int8 --data DIR" in out
    assert run(folds / "fold0", *places, *CUT, "--resume", "--json") == 0
    assert from_json(CompressResult, capsys.readouterr().out).steps[-1].size.variant == slug


def test_folds_print_each_before_and_after_and_the_mean_over_patients(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    check_schema: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    places = ("--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", tmp_path / "out")
    assert run(folds, *places, *CUT) == 0
    out, err = capsys.readouterr()
    assert "fold0\n" in err
    assert "fold1\n" in err
    rows = [line.split(",")[0] for line in out.splitlines() if line.startswith("fold") and "," in line.split()[0]]
    assert rows == ["fold0", "fold0", "fold1", "fold1"]
    assert max(len(line) for line in out.splitlines() if line.startswith("fold")) <= 80
    assert run(folds, *places, *CUT, "--resume", "--json") == 0
    text = capsys.readouterr().out
    check_schema("compress-folds", text)
    result = from_json(FoldsCompressResult, text)
    told = replace(result, dice_mean_before=0.125, dice_mean_after=0.25)
    monkeypatch.setattr("edgeseg.stages.compress.compress_folds", lambda *_, **__: told)
    assert run(folds, *places, *CUT, "--resume") == 0
    assert "Dice mean over 2 patients, out of fold: 0.125 -> 0.250" in capsys.readouterr().out


def test_ctrl_c_says_how_to_go_on(
    folds: Path, tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgeseg.stages.compress.folds.compress", stop)
    places = ("--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", tmp_path / "out")
    assert run(folds, *places, *CUT) == 130
    assert f"what is done so far is in {tmp_path / 'out'}, go on with --resume" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "one recipe is applied by an option, and none was given"),
        (("--qat", "--prune", "0.5"), "and --prune, --qat was given"),
        (("--prune", "0.5", "--set", "epochs"), "--set takes KEY=VALUE, and 'epochs' was given"),
        (("--prune", "0.5", "--set", "epochs=few"), "--set epochs=few: 'few' is no int"),
        (("--prune", "0.5", "--validate-every", "0"), "validate-every is 0; it must be at least 1"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert run(folds, "--data", tiny_lgg, "--out", tmp_path / "out", *options) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--channel-prune", "0.0001"), "the network keeps at least"),
        (("--channel-prune", "0.9", "--set", "layers=absent.json"), "absent.json: the times of layers cannot be read"),
    ],
)
def test_what_is_refused_before_anything_was_made_leaves_no_run_in_the_way(
    folds: Path, tiny_lgg: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert run(folds / "fold0", "--data", tiny_lgg, "--out", tmp_path / "out", *options, "--set", "criterion=l1") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
