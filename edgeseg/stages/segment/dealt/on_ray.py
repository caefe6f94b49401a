"""Patients dealt to the workers of Ray: the same results, in the same order."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from edgeseg.stages.segment.dealt.task import LOST, Job, Made, Task, work
from edgeseg.workers.ray_tasks import in_order


def on_ray(job: Job, tasks: Iterable[Task], *, address: str) -> Generator[Made, None, None]:
    """Segment patients on a cluster, `threads` processors for each; what was made comes in the order of the tasks.

    Inputs, model and the folder of the results have to be at the same place on each host.

    Raises:
        MissingExtraError: when Ray is not installed.
        OptionError: when Ray does not start, or no host has as many processors as threads were asked for.
    """
    return in_order(
        work, job, tasks, cpus=job.threads, purpose="handing patients to Ray", address=address, lost=lambda: LOST
    )
