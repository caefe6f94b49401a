"""One of several processes that segment patients: `python -m edgeseg.stages.segment.dealt.worker`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Mapping

from edgeseg.jsonio import from_plain, to_plain
from edgeseg.stages.segment.dealt.task import LOST, Job, Made, Task, work
from edgeseg.workers.apart import Inside, listen
from edgeseg.workers.apart.deal import answers
from edgeseg.workers.apart.listen import Answer

ENTRY = "edgeseg.stages.segment.dealt.worker"


def on_processes(job: Job, tasks: Iterable[Task], *, workers: int) -> Generator[Made, None, None]:
    """Segment patients in `workers` processes of this machine; what they made comes in the order of the tasks.

    Raises:
        OutputError: when a process cannot be started.
    """
    told = to_plain(job)
    messages = ({"op": "work", "job": told, "task": to_plain(task)} for task in tasks)
    with contextlib.closing(answers(ENTRY, messages, workers=workers)) as given:
        for answer in given:
            yield LOST if answer is None or "made" not in answer else from_plain(Made, answer["made"])


def _handlers(_inside: Inside) -> Mapping[str, Callable[[Answer], Answer]]:
    parent = os.getppid()

    def go_on(_label: str) -> None:
        """End with the run that this process belongs to, also in the middle of a patient."""
        if os.getppid() != parent:
            os._exit(1)

    def made(message: Answer) -> Answer:
        job, task = from_plain(Job, message["job"]), from_plain(Task, message["task"])
        return {"made": to_plain(work(job, task, go_on))}

    return {"work": made}


if __name__ == "__main__":
    listen(_handlers)
