"""Studies that came before: the same one is not done twice, and late objects are joined to those that came earlier."""

from __future__ import annotations

import contextlib
import os

from edgeseg.node.place import Place, object_name, settle
from edgeseg.node.queue import COMPLETE, DONE, FAILED, RECEIVED, SENT, Queue, Row


class Earlier:
    """Looks at the rows of the same study before one."""

    def __init__(self, queue: Queue, place: Place) -> None:
        """Take the queue and where its files lie."""
        self._queue, self._place = queue, place

    def has_all(self, row: Row) -> bool:
        """Whether an earlier row that was done holds every object of this one."""
        own = self._objects(row.id)
        done = [one for one in self._rows(row) if one.state in (DONE, SENT) and one.reason is None]
        return any(own.items() <= self._objects(one.id).items() for one in done)

    def join(self, row: Row) -> None:
        """Take in objects of earlier rows that are still on the disk; those that were never done end in this one."""
        for one in self._rows(row):
            if one.state == RECEIVED:
                continue
            if one.kept:
                self._take_in(one, row)
            if one.state in (COMPLETE, FAILED):
                self._queue.drop(one.id)
                self._place.delete(one.id)

    def _take_in(self, earlier: Row, row: Row) -> None:
        known = self._objects(row.id)
        folder = self._place.objects(row.id)
        found = self._queue.all("SELECT sop, digest, bytes FROM instances WHERE study = ?", earlier.id)
        for one in found:
            name = object_name(one["digest"])
            source = self._place.objects(earlier.id) / name
            if one["sop"] in known or not source.is_file():
                continue
            with contextlib.suppress(FileExistsError):
                os.link(source, folder / name)
            settle(folder)
            with self._queue.writing():
                self._queue.change(
                    "INSERT OR IGNORE INTO instances VALUES (?, ?, ?, ?)", row.id, one["sop"], one["digest"],
                    one["bytes"],
                )  # fmt: skip
                self._queue.change("UPDATE studies SET bytes = bytes + ? WHERE id = ?", one["bytes"], row.id)

    def _objects(self, study: int) -> dict[str, str]:
        return {one["sop"]: one["digest"] for one in self._queue.all(_WORDS, study)}

    def _rows(self, row: Row) -> list[Row]:
        return [one for one in self._queue.rows_of(row.uid) if one.id < row.id]


_WORDS = "SELECT sop, digest FROM instances WHERE study = ?"
