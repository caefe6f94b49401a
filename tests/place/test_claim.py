"""One run in a folder at a time, and nothing left of one that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeseg import artifacts
from edgeseg.errors import OutputError
from edgeseg.place import claimed, sweep, turn

HOLD = """
import sys, time
from pathlib import Path
from edgeseg.artifacts import staged, staged_tree
from edgeseg.place import claimed
out = Path(sys.argv[1])
with claimed(out), staged(out / "tflite-int8.tflite") as file, staged_tree(out) as folder:
    file.write_bytes(b"half")
    (folder / "a.png").write_bytes(b"half")
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def hold(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that holds `out` and is writing there."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait(60)
    assert child.stdout is not None
    child.stdout.close()


def test_a_folder_that_another_process_holds_is_refused_with_its_number(
    tmp_path: Path, hold: subprocess.Popen[str]
) -> None:
    try:
        with pytest.raises(OutputError, match=rf"out: another run of edgeseg \(process {hold.pid}\) writes there"):
            claimed(tmp_path / "out").__enter__()
    finally:
        end(hold)


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path, hold: subprocess.Popen[str]) -> None:
    out = tmp_path / "out"
    try:
        sweep(out)
        assert len([path for path in out.iterdir() if path.name.startswith(".edgeseg-")]) == 2
    finally:
        end(hold)
    for name in (".env", ".git-settings.json", ".tflite-int8-notes.txt", "tflite-int8.tflite", ".weights.safetensors"):
        (out / name).write_text("mine")
    for name in (".tflite-int8-k3j2_h1g.tflite", ".weights-abcdefgh.safetensors", ".build-12345678.json"):
        (out / name).write_text("of version 0.1")
    (out / ".edgeseg-link").symlink_to(tmp_path)
    with claimed(out):
        assert (out / ".edgeseg.lock").is_file()
    left = sorted(path.name for path in out.iterdir())
    assert left == [
        ".edgeseg-link",
        ".env",
        ".git-settings.json",
        ".tflite-int8-notes.txt",
        ".weights.safetensors",
        "tflite-int8.tflite",
    ]


def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    with artifacts.staged(tmp_path / "a.json") as file, artifacts.staged_tree(tmp_path) as folder:
        (folder / "b").write_text("b")
        file.write_text("a")
        sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b"]


def test_a_folder_is_left_as_it_was_found(tmp_path: Path) -> None:
    with claimed(tmp_path / "new" / "out"):
        pass
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path / "new" / "out"):
        (tmp_path / "new" / "out" / "x").write_text("")
    assert [path.name for path in (tmp_path / "new" / "out").iterdir()] == ["x"]


def test_folders_below_are_swept_where_they_are_named(tmp_path: Path) -> None:
    for place in (tmp_path / "named", tmp_path / "other"):
        place.mkdir()
        (place / ".edgeseg-x-12345678.json").write_text("")
    with claimed(tmp_path, sweep_also=[tmp_path / "named", tmp_path / "absent"]):
        assert list((tmp_path / "named").iterdir()) == []
        assert len(list((tmp_path / "other").iterdir())) == 1


def test_many_that_begin_together_are_let_in_one_by_one(tmp_path: Path) -> None:
    """Each writes a number that it read before; none is lost, and none is inside with another."""
    out, inside, done, refused = tmp_path / "out", threading.Semaphore(1), [], []

    def work(number: int) -> None:
        for _ in range(40):
            try:
                with claimed(out):
                    assert inside.acquire(blocking=False)
                    done.append(number)
                    inside.release()
            except OutputError:
                refused.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert len(done) + len(refused) == 160
    assert done
    assert not out.exists() or list(out.iterdir()) == []


def test_a_place_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="a file stands where a folder is needed"):
        claimed(tmp_path / "out").__enter__()


def test_a_lock_file_that_stayed_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / ".edgeseg.lock").write_text(f"{os.getpid()} elsewhere\n")
    with claimed(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_runs_that_take_turns_wait_for_each_other(tmp_path: Path) -> None:
    inside, leave, order = threading.Event(), threading.Event(), []

    def first() -> None:
        with turn(tmp_path):
            inside.set()
            leave.wait(30)
            order.append("first")

    def second() -> None:
        with turn(tmp_path):
            order.append("second")

    workers = [threading.Thread(target=first), threading.Thread(target=second)]
    workers[0].start()
    assert inside.wait(30)
    workers[1].start()
    workers[1].join(0.3)
    assert workers[1].is_alive()
    leave.set()
    for worker in workers:
        worker.join(30)
    assert order == ["first", "second"]


def test_what_locks_its_file_itself_can_be_staged(tmp_path: Path) -> None:
    """HDF5 does."""
    h5py = pytest.importorskip("h5py")
    with artifacts.staged(tmp_path / "a.hdf5") as file, h5py.File(file, "w") as stored:
        stored["x"] = 1
    with h5py.File(tmp_path / "a.hdf5") as stored:
        assert stored["x"][()] == 1


def test_what_a_process_of_another_host_writes_is_left_for_a_day(tmp_path: Path) -> None:
    new, old = (tmp_path / f".edgeseg-00000{n}-1-x-abcdefgh.json" for n in (1, 2))
    for path in (new, old):
        path.write_text("")
    os.utime(old, (1, 1))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [new]
