"""The queue that trains several networks on one accelerator (benchmarks/accelerator.py)."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
PLAN = """
split = "folds.json"
train = "--loss bce"
[[job]]
name = "teacher"
folds = 2
choose = true
train = "--variant unet-bn"
[[job]]
name = "pupil"
folds = 2
teachers = ["teacher"]
train = "--alpha 0.25"
[[job]]
name = "alone"
fold = 1
train = "--variant unet"
"""


@pytest.fixture(scope="module")
def accelerator(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(BENCHMARKS / "accelerator.py")


def _options(plan: Path = Path("plan.toml")) -> argparse.Namespace:
    return argparse.Namespace(plan=plan, data=Path("lgg"), cache=Path("cache"), runs=Path("runs"), backend="jax")


def test_a_plan_becomes_one_process_per_fold_with_the_teacher_of_its_own(accelerator: ModuleType) -> None:
    found = {task.name: task for task in accelerator.tasks(tomllib.loads(PLAN), _options())}
    assert list(found) == [
        "teacher/0", "teacher/1", "teacher/scores", "teacher/choice", "pupil/0", "pupil/1", "pupil/scores", "alone/1",
    ]  # fmt: skip
    pupil = " ".join(found["pupil/1"].command)
    assert pupil.endswith("--loss bce --alpha 0.25 --teacher runs/teacher/fold1 --fold 1 --out runs/pupil/fold1")
    assert "--data lgg --backend jax --cache cache --split folds.json" in pupil
    assert "--resume" not in found["pupil/1"].words()
    assert found["pupil/1"].after == ("teacher/1",)
    scores = " ".join(found["pupil/scores"].command)
    assert scores.endswith("--teacher runs/teacher --folds 2 --resume --out runs/pupil")
    assert found["pupil/scores"].after == ("pupil/0", "pupil/1")
    assert found["teacher/choice"].command[3:5] == ("choose", "runs/teacher")
    assert " ".join(found["alone/1"].command).endswith("--variant unet --fold 1 --out runs/alone")


def test_a_teacher_of_one_fold_teaches_and_one_that_is_not_there_is_refused(accelerator: ModuleType) -> None:
    alone = PLAN.replace("fold = 1", 'fold = 1\nteachers = ["single"]') + (
        '[[job]]\nname = "single"\nfold = 1\ntrain = ""\n'
    )
    found = {task.name: task for task in accelerator.tasks(tomllib.loads(alone), _options())}
    assert found["alone/1"].after == ("single/1",)
    with pytest.raises(SystemExit, match=r"names the teacher 'teachr', and the plan has no such job"):
        accelerator.tasks(tomllib.loads(PLAN.replace('["teacher"]', '["teachr"]')), _options())
    more = PLAN.replace('name = "pupil"\nfolds = 2', 'name = "pupil"\nfolds = 3')
    with pytest.raises(SystemExit, match=r"'pupil/2' waits for 'teacher/2', which the plan does not train"):
        accelerator.tasks(tomllib.loads(more), _options())


def test_a_training_that_was_stopped_is_gone_on_with(accelerator: ModuleType, tmp_path: Path) -> None:
    task = accelerator.Task(name="a/0", command=("train",), run=tmp_path)
    assert task.words() == ("train",)
    (tmp_path / "state.safetensors").touch()
    assert task.words() == ("train", "--resume")


@pytest.mark.parametrize("name", ["accelerator.toml", "accelerator-ablation.toml"])
def test_the_plans_in_the_repository_can_be_laid_out(accelerator: ModuleType, name: str) -> None:
    plan = BENCHMARKS / name
    found = accelerator.tasks(tomllib.loads(plan.read_text()), _options(plan))
    names = [task.name for task in found]
    assert len(set(names)) == len(names) >= 8
    assert all(set(task.after) <= set(names) for task in found)


def _task(accelerator: ModuleType, name: str, code: str, *after: str) -> object:
    return accelerator.Task(name=name, command=(sys.executable, "-c", code), after=after)


def test_tasks_wait_for_what_they_need_and_are_left_out_where_it_failed(
    accelerator: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "made"
    waiting = [
        _task(accelerator, "user/0", f"print(open({str(made)!r}).read())", "maker/0"),
        _task(accelerator, "maker/0", f"open({str(made)!r}, 'w').write('it is there')"),
        _task(accelerator, "broken/0", "raise SystemExit(3)"),
        _task(accelerator, "rests/0", "print('never')", "broken/0"),
    ]
    queue = accelerator.Queue(waiting, logs=tmp_path / "logs", seconds=None)
    assert queue.run(at_once=2) == 2
    assert queue.ended == {"maker/0": True, "user/0": True, "broken/0": False, "rests/0": False}
    assert (tmp_path / "logs" / "user-0.log").read_text().strip() == "it is there"
    said = capsys.readouterr().out
    assert "FAILED" in said
    assert "rests/0                          left out" in said


def test_after_its_time_a_queue_stops_what_runs_and_starts_nothing(accelerator: ModuleType, tmp_path: Path) -> None:
    waiting = [
        _task(accelerator, "endless/0", "import time; time.sleep(600)"),
        _task(accelerator, "next/0", f"open({str(tmp_path / 'no')!r}, 'w')", "endless/0"),
    ]
    assert accelerator.Queue(waiting, logs=tmp_path / "logs", seconds=1.0).run(at_once=1) == 2
    assert not (tmp_path / "no").exists()
