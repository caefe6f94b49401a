"""The thread that looks for what a peer asks stands still while an answer is waited for."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from edgeseg.node.pause import Checkpoint


class Looker:
    """A thread, and the checkpoint where it stands."""

    def __init__(self) -> None:
        self.going, self.ended, self.rounds = threading.Event(), threading.Event(), 0
        self.thread = threading.Thread(target=self._work)
        self.point = Checkpoint(self.thread)

    def _work(self) -> None:
        while not self.ended.is_set():
            self.point.wait()
            self.going.set()
            self.rounds += 1
            time.sleep(0.01)
            self.going.clear()


@pytest.fixture
def looker() -> Iterator[Looker]:
    made = Looker()
    made.thread.start()
    yield made
    made.ended.set()
    made.point.set()
    made.thread.join()


def test_a_thread_that_was_let_go_is_waited_for(looker: Looker) -> None:
    seen: list[bool] = []
    for _ in range(5):
        assert looker.going.wait(10)
        looker.point.clear()
        seen.append(looker.going.is_set())
        looker.point.set()
    assert seen == [False] * 5


def test_whoever_stops_it_again_at_once_lets_it_look_once(looker: Looker) -> None:
    looker.point.clear()
    for _ in range(5):
        before = looker.rounds
        looker.point.set()
        looker.point.clear()
        assert looker.rounds > before


def test_a_thread_that_ended_or_stops_itself_is_not_waited_for(looker: Looker) -> None:
    looker.ended.set()
    looker.thread.join()
    looker.point.clear()
    Checkpoint(threading.current_thread()).clear()
