"""Closes studies that are silent, and deletes what is no longer needed."""

from __future__ import annotations

import time

from edgeseg.node.inbox import Silence
from edgeseg.node.place import Place
from edgeseg.node.queue import FAILED, RECEIVED, SENT, Queue
from edgeseg.specs import NodeOptions

_HOUR_S, _DAY_S = 3600.0, 86400.0


class Tidy:
    """Looks after one queue."""

    def __init__(self, queue: Queue, place: Place, silence: Silence, options: NodeOptions) -> None:
        """Take the queue, where its files lie, and since when studies are silent."""
        self._queue, self._place, self._silence, self._options = queue, place, silence, options

    def step(self) -> bool:
        """Do what is due; whether a study was closed."""
        closed = False
        for row in self._queue.rows(RECEIVED):
            if self._silence.over(row.id, self._options.silence_s):
                self._queue.complete(row.id)
                self._silence.forget(row.id)
                closed = True
        self._delete(SENT, self._options.keep_sent_h)
        self._delete(FAILED, self._options.keep_failed_h)
        old = time.time() - self._options.keep_rows_d * _DAY_S
        self._queue.change("DELETE FROM studies WHERE state = ? AND NOT kept AND changed < ?", SENT, old)
        return closed

    def _delete(self, state: str, hours: float) -> None:
        old = time.time() - hours * _HOUR_S
        words = "SELECT id FROM studies WHERE state = ? AND kept AND (changed < ? OR ?)"
        for one in self._queue.all(words, state, old, hours == 0):
            self._place.delete(one["id"])
            self._queue.dropped_files(one["id"])
