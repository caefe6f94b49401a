"""Starting a worker, listening to it, and making sure that none is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from edgeseg import artifacts
from edgeseg.errors import TrainingError
from edgeseg.jsonio import JsonFormatError, from_json, to_json
from edgeseg.workers.job import OnEvent, WorkerAnswer, WorkerEvent, WorkerJob

LOG = "worker.log"
GRACE_S = 5.0


def run_worker(job: WorkerJob, folder: Path, *, progress: OnEvent | None = None) -> WorkerAnswer:
    """Run a job in a process of its own, with TensorFlow Model Optimization.

    The process ends when this one does: with an error, on Ctrl-C, or killed.

    Args:
        job: what to do.
        folder: takes `job.json` and `worker.log`, what the libraries said.
        progress: called after every step.

    Raises:
        TrainingError: with what the worker said, or that it died.
    """
    place = artifacts.write_text(folder / "job.json", to_json(job) + "\n")
    command = [sys.executable, "-m", "edgeseg.workers.tfmot", str(place)]
    package = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths, "TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("KERAS_BACKEND", None)
    log = folder / LOG
    with (
        log.open("wb") as said,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            env=environment,
            start_new_session=True,
            text=True,
        ) as process,
    ):
        try:
            answer = _listen(process, progress, log)
        finally:
            _stop(process)
    return answer


def _listen(process: subprocess.Popen[str], progress: OnEvent | None, log: Path) -> WorkerAnswer:
    answer: WorkerAnswer | None = None
    for line in process.stdout or ():
        try:
            event = from_json(WorkerEvent, line)
        except JsonFormatError as error:
            raise TrainingError(f"the worker said '{line.strip()[:80]}', which is no event; see {log}") from error
        if event.error is not None:
            raise TrainingError(event.error)
        if event.answer is not None:
            answer = event.answer
        elif progress is not None:
            progress(event)
    if answer is None:
        raise TrainingError(
            f"the worker ended with exit code {process.wait()} and without an answer; what its libraries said is in "
            f"{log}, and the same command with --resume tries the step again"
        )
    return answer


def _stop(process: subprocess.Popen[str]) -> None:
    """End the process if it still runs."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(timeout=0.1 if sys.exc_info()[0] is not None else GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
