"""What `edgeseg train` and `edgeseg build` say on Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from edgeseg.cli.main import main
from edgeseg.stages.train_state import STATE


def stop(*_: object, **__: object) -> NoReturn:
    raise KeyboardInterrupt


def run(*arguments: object) -> object:
    with pytest.raises(SystemExit) as ended:
        main([str(a) for a in arguments])
    return ended.value.code


def test_ctrl_c_says_how_to_go_on_only_where_something_was_saved(
    tiny_lgg: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.train.train", stop)
    out = tmp_path / "run"
    command = ("train", "--data", tiny_lgg, "--cache", tmp_path / "cache", "--out", out)
    assert run(*command) == 130
    assert "--resume" not in capsys.readouterr().err
    out.mkdir()
    (out / STATE).touch()
    assert run(*command) == 130
    assert f"what is done so far is in {out}, go on with --resume" in capsys.readouterr().err


def test_ctrl_c_in_a_build_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgeseg.stages.build.build", stop)
    assert run("build", "--target", "all", "--out", tmp_path / "build") == 130
    assert "the same command goes on" in capsys.readouterr().err
