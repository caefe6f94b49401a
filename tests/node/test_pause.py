"""The thread that looks for what a peer asks stands still while an answer is waited for."""

from __future__ import annotations

import threading
import time

from edgeseg.node.pause import Checkpoint


def test_a_thread_that_was_let_go_is_waited_for() -> None:
    seen: list[bool] = []
    going, ended = threading.Event(), threading.Event()
    point = Checkpoint(lambda: not ended.is_set())

    def work() -> None:
        while not ended.is_set():
            point.wait()
            going.set()
            time.sleep(0.01)
            going.clear()

    thread = threading.Thread(target=work)
    thread.start()
    for _ in range(5):
        assert going.wait(10)
        point.clear()
        seen.append(going.is_set())
        point.set()
    ended.set()
    thread.join()
    point.clear()
    assert seen == [False] * 5
