"""Which results are on their way to which destination, and what becomes of a study when the last one has arrived."""

from __future__ import annotations

import time
from collections.abc import Iterable

from edgeseg.node.queue import DONE, FAILED, SENT, WAITING, Queue

_GONE = "there is no destination of this name any more"


class Sendings:
    """The part of the queue that is about sending."""

    def __init__(self, queue: Queue) -> None:
        """Look at a queue."""
        self._queue = queue

    def next(self, destination: str, but: Iterable[int] = ()) -> int | None:
        """Give the oldest study that waits for a destination, other than those named."""
        passed = set(but)
        found = self._queue.all(
            "SELECT study FROM sendings JOIN studies ON id = study WHERE destination = ? AND sendings.state = ? AND "
            "studies.state = ? ORDER BY study", destination, WAITING, DONE,
        )  # fmt: skip
        return next((one["study"] for one in found if one["study"] not in passed), None)

    def of(self, study: int) -> dict[str, tuple[str, int, str | None]]:
        """Give state, attempts and reason by destination."""
        found = self._queue.all("SELECT * FROM sendings WHERE study = ? ORDER BY destination", study)
        return {one["destination"]: (one["state"], one["attempts"], one["reason"]) for one in found}

    def sent(self, study: int, destination: str) -> None:
        """Say that a destination has everything."""
        with self._queue.writing():
            self._mark(study, destination, SENT, None)
            self._settle(study)

    def missed(self, study: int, destination: str, reason: str, *, final: bool) -> None:
        """Say that it did not work; not to be tried again where it is final."""
        with self._queue.writing():
            self._mark(study, destination, FAILED if final else WAITING, reason)
            self._settle(study)

    def drop_others(self, destinations: Iterable[str]) -> None:
        """Give up what waits for destinations that are not named any more."""
        known = set(destinations)
        for one in self._queue.all("SELECT study, destination FROM sendings WHERE state = ?", WAITING):
            if one["destination"] not in known:
                self.missed(one["study"], one["destination"], _GONE, final=True)

    def again(self, study: int) -> bool:
        """Let failed sendings wait again; whether there were any."""
        words = "UPDATE sendings SET state = ?, attempts = 0 WHERE study = ? AND state = ?"
        return self._queue.change(words, WAITING, study, FAILED) > 0

    def _mark(self, study: int, destination: str, state: str, reason: str | None) -> None:
        self._queue.change(
            "UPDATE sendings SET state = ?, reason = ?, attempts = attempts + 1 WHERE study = ? AND destination = ? "
            "AND state = ?", state, reason, study, destination, WAITING,
        )  # fmt: skip

    def _settle(self, study: int) -> None:
        """Close a study when nothing of it waits: sent, or failed where one destination or the study itself did."""
        states = [state for state, _, _ in self.of(study).values()]
        if WAITING in states:
            return
        missed = [f"{name}: {why}" for name, (state, _, why) in self.of(study).items() if state == FAILED]
        reason = "; ".join(missed) or None
        (own,) = [one["reason"] for one in self._queue.all("SELECT reason FROM studies WHERE id = ?", study)] or [None]
        told = own or reason
        self._queue.change(
            "UPDATE studies SET state = ?, reason = ?, changed = ? WHERE id = ? AND state = ?",
            FAILED if told else SENT, told, time.time(), study, DONE,
        )  # fmt: skip
