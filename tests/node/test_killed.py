"""A node that is killed at any moment loses nothing and does nothing twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests._archive import free_port
from tests.node._peer import Peer
from tests.node.conftest import Setting, send, wait_for

Write = Callable[..., Path]
STUDIES, KILLS = 2, 3


def keep_sending(port: int, study: Path, stop: threading.Event) -> None:
    """Send a study until all of it was taken, as an archive does."""
    while not stop.is_set():
        if (found := send(port, study)) and set(found) == {0}:
            return
        time.sleep(0.1)


def test_every_study_ends_once_at_the_destination(setting: Setting, write_study: Write, tmp_path: Path) -> None:
    port, stop = free_port(), threading.Event()
    with Peer.open() as archive:
        node = setting.node([archive.destination], port=port, silence_s=1.0)
        studies = [
            write_study(tmp_path / f"sent{number}", f"study{number}", kinds=("flair",)) for number in range(STUDIES)
        ]
        senders = [threading.Thread(target=keep_sending, args=(port, one, stop)) for one in studies]
        try:
            for one in senders:
                one.start()
            for number in range(KILLS):
                time.sleep(0.3 + 0.5 * number)
                node.kill()
                node.start()
            wait_for(lambda: setting.status()["counts"]["sent"] == STUDIES, seconds=180, log=node.log)
        finally:
            stop.set()
            for one in senders:
                one.join()
        assert {row["reason"] for row in setting.status()["studies"]} == {None}
        assert len(archive.objects) == 3 * STUDIES
        assert sorted(archive.per_study()) == [3] * STUDIES
    assert node.end() == 0


@pytest.mark.parametrize("clock", [-7200, 7200])
def test_a_clock_that_jumps_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: int) -> None:
    from edgeseg.node.inbox import Silence
    from edgeseg.node.queue import Queue

    queue, silence, now = Queue(tmp_path / "queue.sqlite"), Silence(), time.time
    study, _ = queue.add("1.2", "1.2.3", "ab" * 32, 10, lambda _study: None)
    silence.heard(study)
    monkeypatch.setattr(time, "time", lambda: now() + clock)
    assert not silence.over(study, 60)
    assert silence.over(study, 0)
    queue.complete(study)
    assert queue.claim() is not None
    queue.close()
