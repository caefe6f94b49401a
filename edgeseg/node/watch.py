"""Takes DICOM files from a folder as if they were sent; the files themselves stay where they are."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from edgeseg.errors import DataError
from edgeseg.node.count import Counts
from edgeseg.node.inbox import Full, Inbox, Wrong
from edgeseg.node.queue import Queue
from edgeseg.regular import open_regular

_LOG = logging.getLogger("edgeseg.node")
_QUIET_S = 1.0
State = tuple[int, int]


class Watch:
    """Looks into one folder again and again."""

    def __init__(self, folder: Path, inbox: Inbox, queue: Queue, counts: Counts, *, most_bytes: int) -> None:
        """Take the folder; a file is taken once it has not changed for a while, and again when it is another one."""
        self._folder, self._inbox, self._queue, self._counts = folder, inbox, queue, counts
        self._most_bytes = most_bytes
        self._seen: dict[str, tuple[State, float]] = {}

    def step(self) -> bool:
        """Take what is new and quiet; whether there was any."""
        taken, found = False, set[str]()
        for path in self._files():
            name = _name(path)
            found.add(name)
            if (state := _state(path)) is None or self._known(name, state):
                continue
            before, since = self._seen.get(name, (None, 0.0))
            if before != state:
                self._seen[name] = (state, time.monotonic())
            elif time.monotonic() - since >= _QUIET_S:
                taken = self._take(path, state) or taken
        for name in set(self._seen) - found:
            del self._seen[name]
        return taken

    def _files(self) -> Iterator[Path]:
        for folder, below, names in os.walk(self._folder):
            below[:] = sorted(name for name in below if not name.startswith("."))
            yield from (Path(folder) / name for name in sorted(names) if not name.startswith("."))

    def _known(self, name: str, state: State) -> bool:
        found = self._queue.all("SELECT size, changed_ns FROM watched WHERE path = ?", name)
        return bool(found) and (found[0]["size"], found[0]["changed_ns"]) == state

    def _take(self, path: Path, state: State) -> bool:
        try:
            if state[0] > self._most_bytes:
                raise Wrong("the file is too large")
            with open_regular(path) as stream:
                data = stream.read(self._most_bytes + 1)
            self._inbox.take((data,))
            taken = True
        except (DataError, Wrong):
            self._counts.refused("file")
            _LOG.warning("a file in the watched folder is no MR image in DICOM, or damaged; it is passed over")
            taken = False
        except Full:
            self._counts.refused("room")
            return False
        except OSError:
            return False
        self._queue.change("INSERT OR REPLACE INTO watched VALUES (?, ?, ?)", _name(path), *state)
        self._seen.pop(_name(path), None)
        return taken


def _name(path: Path) -> str:
    """Give text that stands for a path, also where that is no UTF-8."""
    return str(path).encode(errors="backslashreplace").decode()


def _state(path: Path) -> State | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
