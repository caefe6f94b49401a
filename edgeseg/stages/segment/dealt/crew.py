"""Who segments several patients, and how they are handed out: each with a folder of its own for what is written."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edgeseg.artifacts import staged_tree
from edgeseg.stages.segment.dealt.on_ray import on_ray
from edgeseg.stages.segment.dealt.task import Job, Made, Task
from edgeseg.stages.segment.dealt.worker import on_processes
from edgeseg.stages.segment.inputs import Planned

Staged = contextlib.ExitStack
"""What was written for a patient: as a block that ends well, its files are moved to their place, else removed."""
Dealt = tuple[Planned, str, Made | None, Staged]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Several processes of this machine, or where `ray` names a cluster (`local` for this machine) its workers."""

    job: Job
    workers: int = 1
    ray: str | None = None

    def made(self, tasks: Iterable[Task]) -> Generator[Made, None, None]:
        """Segment patients; see `on_processes` and `on_ray` for what is raised."""
        if self.ray is not None:
            return on_ray(self.job, tasks, address=self.ray)
        return on_processes(self.job, tasks, workers=self.workers)


class _Abandoned(Exception):  # noqa: N818 (it is no fault)
    """Nobody takes what was written."""


def dealt(
    wanted: Iterable[tuple[Planned, str]], crew: Crew, out: Path, name_of: Callable[[Planned, str], str | None]
) -> Generator[Dealt, None, None]:
    """Give in the order of the patients what became of each, and what was written for it, which the caller has to end.

    Args:
        wanted: patients with the digests of their files, taken as there is work to hand out.
        crew: who segments them.
        out: the folder of the results.
        name_of: gives what a patient is called in place of its own name.

    Raises:
        EdgeSegError: as `Crew.made`; what was written for patients that were not given yet is removed.
    """
    under_way: deque[tuple[Planned, str, Staged]] = deque()

    def tasks() -> Iterator[Task]:
        for one, digest in wanted:
            staged = Staged()
            under_way.append((one, digest, staged))
            if one.request is not None:
                folder = staged.enter_context(staged_tree(out))
                yield Task(request=one.request, folder=str(folder.absolute()), name=name_of(one, digest))

    try:
        with contextlib.closing(crew.made(tasks())) as answers:
            for made in answers:
                yield from _unopened(under_way)
                one, digest, staged = under_way.popleft()
                yield one, digest, made, staged
            yield from _unopened(under_way)
    finally:
        for _, _, staged in under_way:
            with contextlib.suppress(_Abandoned), staged:
                raise _Abandoned


def _unopened(under_way: deque[tuple[Planned, str, Staged]]) -> Iterator[Dealt]:
    """Give the patients at the head of the queue that cannot be opened, and so were handed to nobody."""
    while under_way and under_way[0][0].request is None:
        one, digest, staged = under_way.popleft()
        yield one, digest, None, staged
