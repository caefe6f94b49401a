"""A node's worker beside a queue in a folder, and the processes that read for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgeseg.node import identify, inside
from edgeseg.node.count import Counts
from edgeseg.node.inbox import Inbox
from edgeseg.node.place import Place
from edgeseg.node.queue import Queue, Row
from edgeseg.node.work import Worker
from edgeseg.runtime import Segmenter
from edgeseg.specs import Destination, NodeOptions
from edgeseg.workers.apart import Pool

SHA256 = "ab" * 32


@pytest.fixture(scope="module")
def readers() -> Iterator[Pool]:
    with Pool(inside.ENTRY, spare=0) as made:
        made.warm(1)
        yield made


@pytest.fixture(scope="module")
def lookers() -> Iterator[Pool]:
    with Pool(identify.ENTRY) as made:
        yield made


@dataclass(kw_only=True)
class Bench:
    """A queue, and what works on it."""

    queue: Queue
    place: Place
    inbox: Inbox
    worker: Callable[..., Worker]
    options: NodeOptions

    def received(self, folder: Path) -> int:
        for path in sorted(folder.rglob("*.dcm")):
            self.inbox.take((path.read_bytes(),))
        row = self.queue.rows()[-1]
        self.queue.complete(row.id)
        return row.id

    def row(self, study: int) -> Row:
        found = self.queue.row(study)
        assert found is not None
        return found


@pytest.fixture
def bench(tmp_path: Path, network: Path, readers: Pool, lookers: Pool) -> Iterator[Bench]:
    yield from bench_of(tmp_path, network, readers, lookers)


def bench_of(tmp_path: Path, network: Path, readers: Pool, lookers: Pool) -> Iterator[Bench]:
    place = Place(tmp_path / "state")
    queue, counts = Queue(place.queue), Counts()
    to = Destination(name="folder", kind="folder", folder=str(tmp_path / "to"))
    options = NodeOptions(state=str(place.root), destinations=(to,), free_mb=0, backoff_s=0.1, attempts=2)
    segmenter = Segmenter.load(network, threads=1)

    def worker(**more: object) -> Worker:
        return Worker(queue, place, readers, segmenter, SHA256, replace(options, **more), counts)  # type: ignore[arg-type]

    inbox = Inbox(queue, place, lookers, options, counts)
    yield Bench(queue=queue, place=place, inbox=inbox, worker=worker, options=options)
    queue.close()
