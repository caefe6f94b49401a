"""Train every job of a plan on one accelerator, several at once, each as soon as its teachers are there.

One training alone leaves gaps on an accelerator: while it compiles, saves or scores, the others go on. A job of a plan
is `edgeseg train` with its options; one with `folds` is trained once per fold and then scored out of fold (unless
`score = false`), one with `choose` goes through `edgeseg choose` as well. A job with `experiments` is an ablation, each
row a process of its own; its outcomes go to `<runs>/<job>.json`. The folders are `<runs>/<job>`, or
`<runs>/<job>/fold<k>`, and beside them `<runs>/logs`. What rests on something that failed is left out. Started again,
it goes on with what was stopped. JAX takes memory as it needs it, since several processes share the device.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeseg.stages.experiments import read_plan

EDGESEG = (sys.executable, "-m", "edgeseg")
SHARING = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
RUN_FILES = ("state.safetensors", "weights.safetensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One process: its words, the names of the tasks that must have ended well before it, the run it may resume."""

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...] = ()
    run: Path | None = None

    def words(self) -> tuple[str, ...]:
        """The command as it is to be started now."""
        begun = self.run is not None and any((self.run / name).exists() for name in RUN_FILES)
        return (*self.command, "--resume") if begun else self.command


def main() -> None:
    """Run a plan, print a line as each task ends, and exit with 1 where one failed or was left out."""
    options = _options()
    with options.plan.open("rb") as stream:
        found = tasks(tomllib.load(stream), options)
    queue = Queue(found, logs=options.runs / "logs", seconds=options.seconds)
    sys.exit(1 if queue.run(at_once=options.at_once) else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path, help="such as benchmarks/accelerator.toml")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="where decoded slices are kept")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--at-once", type=int, default=6, help="processes that share the accelerator")
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--seconds", type=float, help="start nothing, and stop what still runs, after so long")
    options = parser.parse_args()
    if options.at_once < 1:
        parser.error(f"--at-once is {options.at_once}; at least 1 process is needed")
    return options


def tasks(plan: dict[str, Any], options: argparse.Namespace) -> list[Task]:
    """Lay out the processes of a plan, in its order."""
    data = ["--data", str(options.data), "--backend", options.backend]
    data += [] if options.cache is None else ["--cache", str(options.cache)]
    jobs = {job["name"]: job for job in plan["job"]}
    found: list[Task] = []
    for job in jobs.values():
        if "experiments" in job:
            found += _rows(job, options, data)
        else:
            if unknown := sorted(set(job.get("teachers", ())) - set(jobs)):
                sys.exit(f"error: job '{job['name']}' names the teacher '{unknown[0]}', and the plan has no such job")
            found += _trainings(job, plan, options, data, jobs)
    names = {task.name for task in found}
    for task in found:
        if missing := sorted(set(task.after) - names):
            sys.exit(f"error: '{task.name}' waits for '{missing[0]}', which the plan does not train")
    return found


def _fold_numbers(job: dict[str, Any]) -> Sequence[int]:
    return range(job["folds"]) if "folds" in job else (job.get("fold", 0),)


def _place(job: dict[str, Any], fold: int, options: argparse.Namespace) -> Path:
    place: Path = options.runs / job["name"]
    return place / f"fold{fold}" if "folds" in job else place


def _trainings(
    job: dict[str, Any],
    plan: dict[str, Any],
    options: argparse.Namespace,
    data: list[str],
    jobs: dict[str, dict[str, Any]],
) -> list[Task]:
    """One process for each fold, or for the only one, and those that score what they leave."""
    name, place = job["name"], options.runs / job["name"]
    teachers = [jobs[teacher] for teacher in job.get("teachers", ())]
    words = shlex.split(f"{plan.get('train', '')} {job['train']}")
    command = (*EDGESEG, "train", *data, "--split", str(options.plan.parent / plan["split"]), *words)
    found = []
    for fold in _fold_numbers(job):
        own = [(t, fold if "folds" in t else _fold_numbers(t)[0]) for t in teachers]
        given = [word for t, k in own for word in ("--teacher", str(_place(t, k, options)))]
        here = _place(job, fold, options)
        one = (*command, *given, "--fold", str(fold), "--out", str(here))
        after = tuple(f"{t['name']}/{k}" for t, k in own)
        found.append(Task(name=f"{name}/{fold}", command=one, after=after, run=here))
    ends = tuple(task.name for task in found)
    if "folds" in job and job.get("score", True):
        given = [word for t in teachers for word in ("--teacher", str(options.runs / t["name"]))]
        scores = (*command, *given, "--folds", str(job["folds"]), "--resume", "--out", str(place))
        found.append(Task(name=f"{name}/scores", command=scores, after=ends))
    if job.get("choose"):
        found.append(Task(name=f"{name}/choice", command=(*EDGESEG, "choose", str(place), *data), after=ends))
    return found


def _rows(job: dict[str, Any], options: argparse.Namespace, data: list[str]) -> list[Task]:
    """One process for each row of an ablation that is trained, and one for what scores such a row in another way."""
    path = options.plan.parent / job["experiments"]
    rows = read_plan(path).rows
    places = ("--runs", str(options.runs / job["name"]), "--log", str(options.runs / f"{job['name']}.json"))
    command = (*EDGESEG, "experiments", str(path), *data, *places)
    found = [
        Task(
            name=f"{job['name']}/{row.name}",
            command=(*command, "--only", row.name),
            after=tuple(f"{job['name']}/{teacher}" for teacher in row.teachers),
        )
        for row in rows
        if row.of is None
    ]
    others = tuple(word for row in rows if row.of for word in ("--only", row.name))
    if others:
        ends = tuple(task.name for task in found)
        found.append(Task(name=f"{job['name']}/scores", command=command + others, after=ends))
    return found


class Queue:
    """Tasks that start as soon as what they wait for has ended well, in their order."""

    def __init__(self, waiting: Sequence[Task], *, logs: Path, seconds: float | None) -> None:
        """Take tasks; `logs` gets what each prints, and after `seconds` nothing starts and what runs is stopped."""
        self.waiting, self.logs = list(waiting), logs
        self.began = time.monotonic()
        self.end = None if seconds is None else self.began + seconds
        self.ended: dict[str, bool] = {}
        self.changed = threading.Condition()

    def run(self, *, at_once: int) -> int:
        """Run all, so many at a time; returns how many did not end well."""
        with ThreadPoolExecutor(at_once) as pool:
            workers = [pool.submit(self._work) for _ in range(at_once)]
            try:
                for worker in workers:
                    worker.result()
            except BaseException:
                self.end = time.monotonic()
                raise
        return sum(not good for good in self.ended.values())

    def _work(self) -> None:
        while (task := self._take()) is not None:
            began, good = time.monotonic(), False
            try:
                good = self._process(task)
            finally:
                self._note(task, good=good)
            now = time.monotonic()
            said = f"{'done' if good else 'FAILED'} in {now - began:6.1f} s, at {now - self.began:6.1f} s"
            print(f"{task.name:32} {said}", flush=True)

    def _take(self) -> Task | None:
        """Return the first task that may start, waiting for one; None when none is left."""
        with self.changed:
            while self.waiting:
                for task in list(self.waiting):
                    if self._late() or not all(self.ended.get(name, True) for name in task.after):
                        self.waiting.remove(task)
                        self.ended[task.name] = False
                        print(f"{task.name:32} left out", flush=True)
                    elif all(name in self.ended for name in task.after):
                        self.waiting.remove(task)
                        return task
                self.changed.wait(0.5)
        return None

    def _late(self) -> bool:
        return self.end is not None and time.monotonic() >= self.end

    def _note(self, task: Task, *, good: bool) -> None:
        with self.changed:
            self.ended[task.name] = good
            self.changed.notify_all()

    def _process(self, task: Task) -> bool:
        """Run one task with its output in a log, and say whether it ended well."""
        log = self.logs / f"{task.name.replace('/', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as sink:
            process = subprocess.Popen(task.words(), stdout=sink, stderr=sink, env=SHARING | os.environ)
            while process.poll() is None:
                if self._late():
                    process.kill()
                    process.wait()
                    return False
                time.sleep(0.1)
            return process.returncode == 0


if __name__ == "__main__":
    main()
