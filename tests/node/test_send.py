"""Sending: a destination that is down, full, or says no, by C-STORE and by STOW-RS."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pynetdicom.dimse import DIMSEServiceProvider

from edgeseg.node.count import Counts
from edgeseg.node.place import Place
from edgeseg.node.queue import DONE, FAILED, SENT, Queue
from edgeseg.node.send import Sender
from edgeseg.node.sendings import Sendings
from edgeseg.specs import Destination, NodeOptions
from tests._archive import free_port
from tests.node._peer import CLASSES, Peer
from tests.node.conftest import wait_for

KINDS = ("seg", "sr", "sc")


@dataclass(kw_only=True)
class Outgoing:
    """A study that is done, and what sends it."""

    root: Path
    queue: Queue
    place: Place
    study: int

    def sender(self, destination: dict[str, Any], **more: Any) -> Sender:
        to = Destination(**destination)
        options = NodeOptions(
            **{"state": str(self.root), "destinations": (to,), "backoff_s": 0.1, "attempts": 2, **more}
        )
        return Sender(to, Sendings(self.queue), self.place, options, Counts())

    @property
    def state(self) -> Any:
        (row,) = self.queue.rows()
        return row.state, row.reason

    @property
    def sending(self) -> str | None:
        ((_, _, reason),) = Sendings(self.queue).of(self.study).values()
        return reason


@pytest.fixture
def outgoing(tmp_path: Path) -> Iterator[Outgoing]:
    place = Place(tmp_path / "state")
    queue = Queue(place.queue)
    study, _ = queue.add("1.2", "1.2.3", "ab" * 32, 10, lambda _study: None)
    queue.complete(study)
    assert queue.claim() is not None
    (folder := place.fresh()).mkdir()
    for number, kind in enumerate(KINDS):
        made = pydicom.Dataset()
        made.SOPClassUID, made.SOPInstanceUID, made.StudyInstanceUID = CLASSES[number], f"1.2.3.{number}", "1.2"
        made.file_meta = pydicom.dataset.FileMetaDataset()
        made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        made.save_as(folder / f"{kind}.dcm", enforce_file_format=True)
    place.publish(study, folder)
    queue.done(study, ["archive"])
    yield Outgoing(root=tmp_path, queue=queue, place=place, study=study)
    queue.close()


def test_a_destination_that_was_down_gets_it_when_it_is_up(outgoing: Outgoing) -> None:
    peer = Peer(port=free_port())
    sender = outgoing.sender(peer.destination)
    assert sender.step()
    assert outgoing.state == (DONE, None)
    assert outgoing.sending == "nobody answers, or not as DICOM asks for"
    assert not sender.step()
    peer.up()
    try:
        wait_for(sender.step)
        assert outgoing.state == (SENT, None)
        assert peer.came == [("1.2", f"1.2.3.{number}") for number in range(3)]
    finally:
        peer.down()


def test_one_that_stays_away_is_given_up(outgoing: Outgoing) -> None:
    sender = outgoing.sender(Peer(port=free_port()).destination, give_up_h=0.01)
    assert sender.step()
    sender._waits._missed[outgoing.study] = (3, 0.0, -1e6)
    assert sender.step()
    assert outgoing.state == (
        FAILED, "archive: it could not be reached for 0.01 hours, last: nobody answers, or not as DICOM asks for",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"status": 0xC001}, "it refused the segmentation (status 0xC001)"),
        ({"status": 0x0122}, "it refused the segmentation (status 0x0122)"),
        ({"title": "ANOTHER"}, "it rejects the association (source 1, reason 7)"),
    ],
    ids=["an object", "a class", "the association"],
)
def test_one_that_says_no_is_asked_a_few_times(outgoing: Outgoing, more: dict[str, Any], told: str) -> None:
    with Peer.open(**more) as peer:
        sender = outgoing.sender(peer.destination)
        assert sender.step()
        assert outgoing.state == (DONE, None)
        wait_for(sender.step)
        assert outgoing.state == (FAILED, f"archive: {told}")
        assert peer.came == []


@pytest.mark.parametrize("status", [0x0111, 0xB000])
def test_what_is_there_already_or_taken_with_a_warning_is_sent(outgoing: Outgoing, status: int) -> None:
    with Peer.open(status=status) as peer:
        assert outgoing.sender(peer.destination).step()
        assert outgoing.state == (SENT, None)


def test_one_without_room_is_waited_for(outgoing: Outgoing) -> None:
    with Peer.open(status=0xA700) as peer:
        sender = outgoing.sender(peer.destination)
        for _ in range(3):
            wait_for(sender.step)
        assert outgoing.state == (DONE, None)
        peer.status = 0
        wait_for(sender.step)
        assert outgoing.state == (SENT, None)


def test_some_results_alone(outgoing: Outgoing) -> None:
    with Peer.open() as peer:
        assert outgoing.sender({**peer.destination, "send": ("sc",)}).step()
        assert peer.came == [("1.2", "1.2.3.2")]


def test_a_folder_gets_the_same_names_twice(outgoing: Outgoing, tmp_path: Path) -> None:
    sender = outgoing.sender({"name": "archive", "kind": "folder", "folder": str(tmp_path / "to")})
    assert sender.step()
    outgoing.queue.change("UPDATE studies SET state = ?", DONE)
    outgoing.queue.change("UPDATE sendings SET state = 'waiting'")
    assert sender.step()
    assert sorted(path.name for path in (tmp_path / "to" / "1.2").iterdir()) == [
        "sc-1.2.3.2.dcm", "seg-1.2.3.0.dcm", "sr-1.2.3.1.dcm",
    ]  # fmt: skip


@dataclass
class Web:
    """What a STOW-RS server answers, and what it was sent."""

    status: int = 200
    body: Any = field(default_factory=dict)
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def web() -> Iterator[tuple[Web, dict[str, Any]]]:
    told = Web()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.came.append((dict(self.headers), body))
            answer = json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_told: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield told, {"name": "archive", "kind": "stow", "url": f"http://127.0.0.1:{server.server_port}/dicom-web/"}
        server.shutdown()


def test_stow_sends_all_in_one_request(outgoing: Outgoing, web: tuple[Web, dict[str, Any]], tmp_path: Path) -> None:
    told, to = web
    (tmp_path / "token").write_text("a secret\n")
    assert outgoing.sender({**to, "token_file": str(tmp_path / "token")}).step()
    assert outgoing.state == (SENT, None)
    ((heads, body),) = told.came
    assert heads["Authorization"] == "Bearer a secret"
    assert body.count(b"Content-Type: application/dicom\r\n") == 3
    assert all(path.read_bytes() in body for path in outgoing.place.files(outgoing.study).values())


def not_taken(reason: int) -> Any:
    return {"00081198": {"vr": "SQ", "Value": [{"00081197": {"vr": "US", "Value": [reason]}}]}}


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (200, {}, SENT),
        (409, not_taken(0x0111), SENT),
        (202, not_taken(0xA900), FAILED),
        (200, not_taken(0x0110), FAILED),
        (400, {}, FAILED),
        (401, [], FAILED),
        (302, {}, FAILED),
        (503, {}, DONE),
        (429, {}, DONE),
    ],
    ids=str,
)
def test_what_a_stow_server_answers(
    outgoing: Outgoing, web: tuple[Web, dict[str, Any]], status: int, body: Any, state: str
) -> None:
    told, to = web
    told.status, told.body = status, body
    assert outgoing.sender(to, attempts=1).step()
    assert outgoing.state[0] == state
    assert len(told.came) == 1


def test_an_answer_is_not_taken_by_a_late_look(outgoing: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine so busy that a thread stands still between the word that it waits and its last look.

    pynetdicom 3.0.4 then loses the answer to about one object in some thousands.
    """
    given, get = threading.Event.wait, DIMSEServiceProvider.get_msg
    taken: list[Any] = []

    def looks() -> bool:
        return threading.current_thread().name.startswith("RequestorThread")

    def wait(self: threading.Event, timeout: float | None = None) -> bool:
        found = given(self, timeout)
        if looks():
            time.sleep(0.15)
        return found

    def look(self: Any, block: bool = False) -> Any:
        if block:
            time.sleep(0.3)
        found = get(self, block)
        if looks() and found[1] is not None:
            taken.append(found)
        return found

    monkeypatch.setattr("edgeseg.node.store._ANSWER_S", 2.0)
    monkeypatch.setattr(threading.Event, "wait", wait)
    monkeypatch.setattr(DIMSEServiceProvider, "get_msg", look)
    with Peer.open() as peer:
        assert outgoing.sender(peer.destination).step()
    assert (len(peer.came), taken) == (3, [])


def test_one_that_aborts_in_the_middle_gets_the_same_again(outgoing: Outgoing) -> None:
    with Peer.open(aborts_after=1) as peer:
        sender = outgoing.sender(peer.destination)
        assert sender.step()
        assert outgoing.state == (DONE, None)
        assert outgoing.sending == "the association ended without an answer"
        peer.aborts_after = None
        wait_for(sender.step)
        assert outgoing.state == (SENT, None)
        assert len(peer.came) > len(peer.objects) == 3


def test_results_that_are_gone_are_not_said_to_be_sent(outgoing: Outgoing) -> None:
    shutil.rmtree(outgoing.place.results(outgoing.study))
    with Peer.open() as peer:
        sender = outgoing.sender(peer.destination)
        for _ in range(2):
            wait_for(sender.step)
        told = "the results are not on the disk any more; forget the study, and have it sent again"
        assert (outgoing.state, peer.came) == ((FAILED, f"archive: {told}"), [])


def test_a_study_that_is_forgotten_while_it_is_sent_does_no_harm(outgoing: Outgoing) -> None:
    with Peer.open() as peer:
        sender = outgoing.sender(peer.destination)
        outgoing.queue.drop(outgoing.study)
        outgoing.place.delete(outgoing.study)
        assert not sender.step()
        assert peer.came == []
