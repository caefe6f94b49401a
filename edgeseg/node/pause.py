"""Has the answers of a peer reach who waits for them.

A thread of pynetdicom looks for messages from the peer, and is to stand still while an answer is waited for. pynetdicom
(3.0) asks for that and goes on as soon as the thread says that it stands, which it also says just before it looks once
more. On a busy machine that last look comes late, takes the answer, and the sender waits for it until its time is over.
"""

from __future__ import annotations

import threading
from typing import Any

_ALIVE_S, _CHECKPOINT = 0.1, "_reactor_checkpoint"


class Checkpoint(threading.Event):
    """An event whose `clear` comes back once the other thread stands in `wait`, or has ended.

    Each `set` lets it go one round at least, however soon `clear` follows: that round is where it sees that the peer is
    gone, and whoever sends on and on would else never be told.
    """

    def __init__(self, other: threading.Thread) -> None:
        """Be set; `other` is the thread that waits."""
        super().__init__()
        self._other, self._change = other, threading.Condition()
        self._standing, self._rounds = False, 0
        self.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Stand until it is set."""
        with self._change:
            if self.is_set():
                return True
            self._standing, before = True, self._rounds
            self._change.notify_all()
            found = self._change.wait_for(lambda: self._rounds != before, timeout)
            self._standing = False
            return found

    def set(self) -> None:
        """Let the other thread go on."""
        with self._change:
            super().set()
            self._rounds += 1
            self._standing = False
            self._change.notify_all()

    def clear(self) -> None:
        """Have the other thread stand from its next `wait` on, and wait for that."""
        with self._change:
            super().clear()
            while not self._standing and self._other.is_alive() and self._other is not threading.current_thread():
                self._change.wait(_ALIVE_S)


def pausing(association: Any) -> Any:
    """Give an association of ours, which is established, such a checkpoint; gives the association."""
    setattr(association, _CHECKPOINT, Checkpoint(association))
    return association
