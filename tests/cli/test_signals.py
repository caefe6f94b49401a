"""Ctrl-C and SIGTERM: one line, their exit code, and nothing half-written, whenever they come."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from edgeseg import artifacts
from edgeseg.cli import main as cli

WHILE_LOADING = """
import runpy, sys
from importlib.abc import MetaPathFinder

class Interrupt(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
runpy.run_module("edgeseg", run_name="__main__")
"""


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[object, str]]:
    """Give a function that runs the command line with another body, and gives exit code and stderr."""

    def end(body: Callable[..., object]) -> tuple[object, str]:
        monkeypatch.setattr(cli, "app", body)
        with pytest.raises(SystemExit) as left:
            cli.main(["targets"])
        return left.value.code, capsys.readouterr().err

    return end


@pytest.mark.parametrize("module", ["typer", "edgeseg.cli.main", "edgeseg.cli.build"])
def test_ctrl_c_while_the_command_is_loaded_leaves_no_traceback(module: str) -> None:
    command = [sys.executable, "-c", WHILE_LOADING, module]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (130, "error: interrupted\n")


def test_ctrl_c_that_a_library_turned_into_its_own_error_is_still_ctrl_c(
    ended: Callable[..., tuple[object, str]],
) -> None:
    """A compiled module says so when the signal comes as it is loaded."""

    def body(*_: object, **__: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise ImportError("initialization failed") from error

    assert ended(body) == (130, "error: interrupted\n")


def test_ctrl_c_within_a_command_says_so(ended: Callable[..., tuple[object, str]]) -> None:
    app = typer.Typer()

    @app.command()
    def targets(_: str) -> None:
        raise KeyboardInterrupt

    assert ended(app) == (130, "error: interrupted\n")


def test_sigterm_takes_away_what_was_being_written(ended: Callable[..., tuple[object, str]], tmp_path: Path) -> None:
    def body(*_: object, **__: object) -> None:
        with artifacts.staged(tmp_path / "model.onnx") as made:
            made.write_bytes(b"half")
            signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    assert ended(body) == (143, "error: terminated\n")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_sigterm_is_not_waited_with() -> None:
    body = """
import signal
from edgeseg.cli._signals import heeding
with heeding():
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        signal.raise_signal(signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (-signal.SIGTERM, b"")
