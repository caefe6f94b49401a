"""Takes objects, one by one: on the disk and in the queue before anybody is told that they were taken."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from edgeseg.errors import DataError, EdgeSegError, OutputError
from edgeseg.node.count import Counts
from edgeseg.node.identify import Named, identify
from edgeseg.node.place import Place, object_name
from edgeseg.node.queue import Came, Queue
from edgeseg.node.uids import KEY_OBJECTS, TAKEN
from edgeseg.specs import NodeOptions
from edgeseg.workers.apart import Pool

_MB, _BROKEN_TIMES = 1 << 20, 6
Data = bytes | memoryview


class Full(EdgeSegError):  # noqa: N818 (it is a state)
    """There is no room for more."""


class Wrong(EdgeSegError):  # noqa: N818 (likewise)
    """An object that is not what it was sent as, or is of a class that is not taken."""


class Inbox:
    """May be used from several threads."""

    def __init__(self, queue: Queue, place: Place, pool: Pool, options: NodeOptions, counts: Counts) -> None:
        """Take objects into a queue; they are looked at in the pool."""
        self._queue, self._place, self._pool, self._options, self._counts = queue, place, pool, options, counts
        self._lock, self._coming = threading.Lock(), 0
        self.heard: Callable[[int], None] = lambda _study: None

    def require_room(self, size: int) -> None:
        """Refuse what the disk has no room for.

        Raises:
            Full: when too much waits there already, or too little would stay free.
        """
        held, free = self._queue.held_bytes() + self._coming, shutil.disk_usage(self._place.root).free
        if held + size > self._options.disk_mb * _MB or free - size < self._options.free_mb * _MB:
            raise Full("there is no room for more")

    def take(self, parts: tuple[Data, ...], *, sent_as: tuple[str, str] | None = None) -> tuple[int, Came]:
        """Take an object; gives the number of its study, and what it was to it. A marker completes its study.

        Args:
            parts: a DICOM file, in parts that follow each other.
            sent_as: class and identifier that the sender named; None for a file.

        Raises:
            Full: when there is no room for it.
            Wrong: when it is not what it was sent as, or nothing that the node takes.
            DataError: when it cannot be read.
            OutputError: when it cannot be written.
        """
        size = sum(len(part) for part in parts)
        with self._lock:
            self.require_room(size)
            self._coming += size
        path = self._place.fresh()
        try:
            digest = _write(path, parts)
            named = self._named(path, size, sent_as)
            if named.sop_class == KEY_OBJECTS:
                return self._marked(named), Came.MARKER
            study, came = self._added(named, digest, size, path)
            self.heard(study)
        except OSError as error:
            raise OutputError(f"an object cannot be written ({error.strerror or error}); free space") from error
        except sqlite3.Error as error:
            raise OutputError(f"the queue cannot be written ({error}); free space") from error
        finally:
            path.unlink(missing_ok=True)
            with self._lock:
                self._coming -= size
        self._counts.took(came.value, size)
        return study, came

    def _added(self, named: Named, digest: str, size: int, path: Path) -> tuple[int, Came]:
        """Put an object into its study and the queue; what the queue could not be told of is deleted."""
        name, placed = object_name(digest), list[int]()

        def put(study: int) -> None:
            placed.append(study)
            self._place.put(study, path, name)

        try:
            return self._queue.add(named.study, named.sop, digest, size, put)
        except BaseException:
            for study in placed:
                (self._place.objects(study) / name).unlink(missing_ok=True)
            raise

    def _marked(self, marker: Named) -> int:
        """Complete the study that a marker is of."""
        study = self._queue.mark(marker.study)
        if study is None:
            raise Wrong("the marker is of a study of which nothing has come")
        self._counts.took(Came.MARKER.value, 0)
        return study

    def _named(self, path: Path, size: int, sent_as: tuple[str, str] | None) -> Named:
        named = identify(path, self._pool, size=size)
        if named.sop_class not in (*TAKEN, *([KEY_OBJECTS] if self._options.marker else ())):
            raise Wrong("the object is of a class that is not taken")
        if sent_as is not None and sent_as != (named.sop_class, named.sop):
            raise Wrong("the object names another class or identifier than it was sent under")
        return named


def _write(path: Path, parts: tuple[Data, ...]) -> str:
    """Write a file that outlasts a power cut; gives its SHA-256."""
    digest = hashlib.sha256()
    with path.open("xb") as stream:
        for part in parts:
            stream.write(part)
            digest.update(part)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


class Silence:
    """Since when nothing of a study came; counted by a clock that does not jump, and anew after a start.

    A study whose association has not been released is waited for six times as long: its sender broke off, or this node
    did, and what is missing comes when it tries again.
    """

    def __init__(self) -> None:
        """Know of no study."""
        self._lock, self._since, self._open = threading.Lock(), dict[int, float](), set[int]()

    def begun(self, study: int) -> None:
        """Say that an association brings a study, or that one broke off."""
        with self._lock:
            self._open.add(study)

    def released(self, studies: Iterable[int]) -> None:
        """Say that an association ended as it should."""
        with self._lock:
            self._open.difference_update(studies)

    def heard(self, study: int) -> None:
        """Count from now on."""
        with self._lock:
            self._since[study] = time.monotonic()

    def over(self, study: int, seconds: float) -> bool:
        """Whether a study was silent for so long; one that is not known of begins to be counted."""
        with self._lock:
            since = self._since.setdefault(study, time.monotonic())
            wanted = seconds * (_BROKEN_TIMES if study in self._open else 1)
            return time.monotonic() - since >= wanted

    def forget(self, study: int) -> None:
        """Count no more."""
        with self._lock:
            self._since.pop(study, None)
            self._open.discard(study)


__all__ = ["DataError", "Full", "Inbox", "Silence", "Wrong"]
