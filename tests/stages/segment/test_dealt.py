"""Patients dealt to several workers: the same results, nothing lost when one is killed, and one clear row."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgeseg.cli.main import app
from edgeseg.errors import ArtifactError, DatasetError, OptionError
from edgeseg.jsonio import from_json
from edgeseg.results import DONE, FAILED, PatientSegmentation, RunResult
from edgeseg.specs import RunOptions
from edgeseg.stages.segment.dealt import task as tasks
from edgeseg.stages.segment.request import ScanRequest
from edgeseg.stages.segment.run import run
from tests._ray import FakeRay

Write = Callable[..., Path]
SALT = "a salt for tests only"
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the ray extra is not installed")


@pytest.fixture
def archive(tmp_path: Path, write_dicom: Write, write_nifti: Write, scan_values: dict[str, Any]) -> Path:
    """A nested export: three DICOM studies of two patients, NIfTI of two, pictures of four, one of them damaged."""
    from tests.stages.segment.test_patients import damage, make_patient

    for place in ("p1/2019", "p1/2021", "p2/x"):
        write_dicom(
            f"in/dicom/{place}/flair", scan_values["flair"], description="FLAIR", study=place, patient=place[:2]
        )
    for subject in ("sub-01", "sub-02"):
        (tmp_path / "in" / "nifti" / subject / "anat").mkdir(parents=True)
        write_nifti(f"in/nifti/{subject}/anat/flair.nii.gz", scan_values["flair"])
    for name in ("A", "B", "C", "D"):
        make_patient(tmp_path / "in" / "pictures" / name)
    damage(tmp_path / "in" / "pictures" / "B")
    return tmp_path / "in"


def tree(out: Path) -> dict[str, bytes]:
    """Read all files, without what is different in each run: times, and in DICOM the identifiers of new objects."""
    found = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.suffix == ".dcm":
            found[path.relative_to(out).as_posix()] = _pixels(path)
        elif path.is_file():
            content = re.sub(rb'"(load_ms|total_ms|latency_ms_p\d+)": [\d.]+', rb'"\1": 0', path.read_bytes())
            found[path.relative_to(out).as_posix()] = content
    return found


def _pixels(path: Path) -> bytes:
    from pydicom import dcmread

    read = dcmread(path)
    told = f"{read.PatientID} {read.StudyInstanceUID} {len(read.ReferencedSeriesSequence)}"
    return told.encode() + bytes(read.PixelData)


def _add(told: list[PatientSegmentation], row: PatientSegmentation, _before: bool) -> None:
    told.append(row)


def rows(out: Path) -> dict[str, PatientSegmentation]:
    return {row.patient: row for row in from_json(RunResult, (out / "summary.json").read_bytes()).patients}


def test_results_are_the_same_whatever_the_number_of_workers(
    tiny_onnx: Write, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options, model = RunOptions(salt=SALT, overlays=True), tiny_onnx()
    trees = []
    for workers in (1, 2):
        told: list[PatientSegmentation] = []
        out = tmp_path / f"out{workers}"
        run(
            model, [archive], out=out, options=options, workers=workers,
            on_patient=partial(_add, told),
        )  # fmt: skip
        trees.append(tree(out))
        names = [row.patient for row in told]
        assert names == list(rows(out))
        assert sorted(row.status for row in rows(out).values()) == [DONE] * 8 + [FAILED]
        assert {"sub-01_anat", "sub-02_anat", "A"} < set(names)
        assert "s_1.png" in (rows(out)["B"].reason or "")
    monkeypatch.setitem(sys.modules, "ray", FakeRay())
    run(model, [archive], out=tmp_path / "ray", options=options, ray="local")
    assert trees[0] == trees[1] == tree(tmp_path / "ray")
    assert not list(tmp_path.rglob(".edgeseg-*"))


def test_resume_passes_over_what_any_number_of_workers_did(tiny_onnx: Write, archive: Path, tmp_path: Path) -> None:
    model, out = tiny_onnx(), tmp_path / "out"
    run(model, [archive], out=out, workers=2)
    before = tree(out)
    told: list[tuple[str, bool]] = []
    run(
        model, [archive], out=out, workers=2, resume=True,
        on_patient=lambda row, early: told.append((row.status, early)),
    )  # fmt: skip
    assert sorted(told) == [(DONE, True)] * 8 + [(FAILED, False)]
    assert tree(out).keys() == before.keys()


def test_a_killed_worker_loses_nothing(tiny_onnx: Write, archive: Path, tmp_path: Path) -> None:
    model, killed = tiny_onnx(), list[int]()
    run(model, [archive], out=tmp_path / "whole", options=RunOptions(salt=SALT))
    stop = threading.Event()

    def kill() -> None:
        while not stop.is_set() and not killed:
            for pid in workers_of(os.getpid()):
                if any((tmp_path / "out").glob(".edgeseg-*")):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    break
            time.sleep(0.005)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        run(model, [archive], out=tmp_path / "out", options=RunOptions(salt=SALT), workers=2)
    finally:
        stop.set()
        thread.join()
    assert killed
    assert tree(tmp_path / "out") == tree(tmp_path / "whole")


def workers_of(pid: int) -> list[int]:
    """List the processes below one that segment."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for path in children for child in path.read_text().split()]
    return [one for one in found if b"dealt.worker" in Path(f"/proc/{one}/cmdline").read_bytes()]


def test_a_patient_over_whom_workers_die_each_time_is_one_row(
    tiny_onnx: Write, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "site" / "sitecustomize.py"
    script.parent.mkdir()
    script.write_text(
        "import os, sys\n"
        "if any('dealt.worker' in word for word in sys.orig_argv):\n"
        "    import edgeseg.stages.segment.dealt.task as task\n"
        "    segment = task.segment_case\n"
        "    def dies(segmenter, scan, *more):\n"
        "        os._exit(9) if scan.name == 'C' else None\n"
        "        return segment(segmenter, scan, *more)\n"
        "    task.segment_case = dies\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{script.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    run(tiny_onnx(), [archive / "pictures"], out=tmp_path / "out", workers=2)
    found = rows(tmp_path / "out")
    assert {name: row.status for name, row in found.items()} == {"A": DONE, "B": FAILED, "C": FAILED, "D": DONE}
    assert "were killed, each time anew" in (found["C"].reason or "")
    assert not (tmp_path / "out" / "C").exists()


MANY = 48
"""So many patients take longer than a signal needs on a busy machine."""


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_run_that_is_ended_leaves_whole_patients_alone(
    tiny_onnx: Write, archive: Path, tmp_path: Path, how: str
) -> None:
    from tests.stages.segment.test_patients import make_patient

    many, out = tmp_path / "many", tmp_path / "out"
    for number in range(MANY):
        make_patient(many / f"P{number:02d}", slices=4)
    model = tiny_onnx()
    words = [sys.executable, "-m", "edgeseg", "run", str(model), str(many), "--out", str(out), "--workers", "2"]
    heeds = ["env", "--default-signal=INT"]  # a job in the background does not
    with subprocess.Popen([*heeds, *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        while not (out / "P01").exists():
            time.sleep(0.01)
            assert running.poll() is None
        mine = workers_of(running.pid)
        running.send_signal(getattr(signal, how))
        told = running.communicate()[1]
    assert b"Traceback" not in told
    ends = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() and _lives(pid) for pid in mine):
        assert time.monotonic() < ends, "workers outlive the run"
        time.sleep(0.02)
    done = [path.name for path in out.iterdir() if path.is_dir() and not path.name.startswith(".")]
    assert 2 <= len(done) < MANY
    assert all(len(list((out / name).iterdir())) == 4 for name in done)
    run(model, [many], out=out, resume=True, workers=2)
    assert len(rows(out)) == MANY
    assert not list(out.glob(".edgeseg-*"))


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_ends_all_patients_ends_them_there_too(tiny_onnx: Write, archive: Path, tmp_path: Path) -> None:
    from edgeseg.stages.segment.dealt.task import Made

    full = Made(error="OutputError", text="the disk is full", errno=28).raised()
    assert isinstance(full.__cause__, OSError)
    assert full.__cause__.errno == 28
    assert type(Made(error="ArtifactError", text="x").raised()) is ArtifactError
    assert type(Made(text="internal error: KeyError").raised()) is DatasetError
    with pytest.raises(OptionError, match="--workers is 0; it lies between 1 and 64"):
        run(tiny_onnx(), [archive], out=tmp_path / "out", workers=0)
    with pytest.raises(OptionError, match="--workers 2 was given beside --ray"):
        run(tiny_onnx(), [archive], out=tmp_path / "out", workers=2, ray="local")
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_another_on_a_host_is_refused(tiny_onnx: Write, archive: Path, tmp_path: Path) -> None:
    job = tasks.Job(model=str(tiny_onnx()), sha256="0" * 64, threads=1)
    (tmp_path / "folder").mkdir()
    request = ScanRequest(path=str(archive))
    made = tasks.work(job, tasks.Task(request=request, folder=str(tmp_path / "folder")))
    assert made.error == "ArtifactError"
    assert "not the model here" in made.text


def test_the_command_takes_workers_and_ends_with_1_where_one_failed(
    tiny_onnx: Write, archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["run", str(tiny_onnx()), str(archive / "pictures"), "--out", str(out), "--workers", "2", "--resume"]
    ended = CliRunner().invoke(app, [*words, "--csv", str(tmp_path / "results.csv")])
    assert ended.exit_code == 1
    assert "1 of 4 patients failed (B)" in str(ended.exception)
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [["A", DONE], ["B", FAILED], ["C", DONE], ["D", DONE]]


@needs_ray
def test_ray_gives_the_same(tiny_onnx: Write, archive: Path, tmp_path: Path) -> None:
    model = tiny_onnx()
    for name, address in (("here", None), ("there", "local")):
        run(model, [archive], out=tmp_path / name, options=RunOptions(salt=SALT), threads=1, ray=address)
    assert tree(tmp_path / "here") == tree(tmp_path / "there")
