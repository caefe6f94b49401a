"""The worker's process: what it says ends as one line, and none is left behind."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from edgeseg.errors import TrainingError
from edgeseg.specs import Qat, TrainSpec
from edgeseg.workers import process
from edgeseg.workers.job import WorkerJob


def _job(tmp_path: Path) -> WorkerJob:
    return WorkerJob(
        train=TrainSpec(),
        weights=str(tmp_path / "missing.safetensors"),
        cache=str(tmp_path),
        patients=("P1",),
        out=str(tmp_path / "out.safetensors"),
        qat=Qat(),
    )


def _standing_in(monkeypatch: pytest.MonkeyPatch, script: str) -> list[subprocess.Popen[str]]:
    """Let a shell script stand in for the worker; returns the processes that are started."""
    started: list[subprocess.Popen[str]] = []

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, command: Any, **options: Any) -> None:
            super().__init__(["sh", "-c", script], **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    return started


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("""echo '{"error": "no such weights"}'""", "no such weights"),
        ("exit 3", "exit code 3 and without an answer"),
        ("echo hello", "'hello', which is no event"),
    ],
)
def test_a_worker_that_fails_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, message: str
) -> None:
    _standing_in(monkeypatch, script)
    with pytest.raises(TrainingError, match=message):
        process.run_worker(_job(tmp_path), tmp_path)


def test_ctrl_c_ends_the_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    started = _standing_in(monkeypatch, """echo '{"epoch": 1}'; exec sleep 600""")
    with pytest.raises(KeyboardInterrupt):
        process.run_worker(_job(tmp_path), tmp_path, progress=interrupt)
    assert [worker.returncode for worker in started] == [-9]


def test_the_worker_itself_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no checkpoint at .*missing.safetensors"):
        process.run_worker(_job(tmp_path), tmp_path)
    assert not (tmp_path / "out.safetensors").exists()
