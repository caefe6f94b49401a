"""Who may send what, and what a hostile peer gets: a refusal, and the node goes on."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import ssl
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from prometheus_client import generate_latest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import Verification

from edgeseg.node import identify
from edgeseg.node.count import Counts
from edgeseg.node.inbox import Inbox, Silence
from edgeseg.node.place import Place
from edgeseg.node.queue import Queue
from edgeseg.node.receive import Receiver
from edgeseg.specs import Destination, NodeOptions, Peer, Tls
from edgeseg.workers.apart import Pool
from tests._archive import called, program
from tests.node.conftest import send, wait_for

Write = Callable[..., Path]
OPTIONS = NodeOptions(
    state="unused", port=0, free_mb=0, object_mb=1, associations=2, idle_s=1.0,
    peers=(Peer(ae_title="SENDER", address="127.0.0.1"),),
    destinations=(Destination(name="folder", kind="folder", folder="unused"),),
)  # fmt: skip
ECHO_REQUEST_HEAD, UNKNOWN_PDU = b"\x01\x00", b"\x09\x00\x00\x00\x00\x04none"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(identify.ENTRY) as made:
        yield made


class Node:
    """The part of a node that receives."""

    def __init__(self, root: Path, pool: Pool) -> None:
        self.place, self.counts, self._pool = Place(root), Counts(), pool
        self.queue = Queue(self.place.queue)
        self.silence = Silence()

    def listening(self, options: NodeOptions) -> Any:
        inbox = Inbox(self.queue, self.place, self._pool, options, self.counts)
        return Receiver(inbox, self.silence, options, self.counts).open()

    @property
    def objects(self) -> int:
        return sum(row.objects for row in self.queue.rows())

    def refused(self, why: str) -> bool:
        return f'edgeseg_node_refused_total{{why="{why}"}}' in generate_latest(self.counts.registry).decode()


@pytest.fixture
def node(tmp_path: Path, pool: Pool) -> Iterator[Node]:
    made = Node(tmp_path / "state", pool)
    yield made
    made.queue.close()


@pytest.fixture
def one(write_study: Write, tmp_path: Path) -> Path:
    return write_study(tmp_path / "sent", kinds=("flair",)) / "flair" / "007.dcm"


def changed(path: Path, edit: Callable[[pydicom.Dataset], None]) -> Path:
    read = pydicom.dcmread(path)
    edit(read)
    read.save_as(path)
    return path


def test_an_object_is_on_the_disk_as_it_was_sent(node: Node, one: Path) -> None:
    with node.listening(OPTIONS) as port:
        assert send(port, one) == [0]
        assert send(port, one) == [0]
    (row,) = node.queue.rows()
    (path,) = node.place.objects(row.id).iterdir()
    assert pydicom.dcmread(path).PixelData == pydicom.dcmread(one).PixelData
    assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian


def test_a_study_whose_association_broke_off_is_waited_for_longer(
    node: Node, one: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with node.listening(OPTIONS) as port:
        assert send(port, one, release=False) == [0]
        (row,) = node.queue.rows()
        now = time.monotonic()
        node.silence.heard(row.id)
        monkeypatch.setattr("edgeseg.node.inbox.time.monotonic", lambda: now + 4)
        assert not node.silence.over(row.id, 3)
        monkeypatch.undo()
        assert send(port, one) == [0]
        node.silence.heard(row.id)
        monkeypatch.setattr("edgeseg.node.inbox.time.monotonic", lambda: now + 60)
        wait_for(lambda: node.silence.over(row.id, 30))


def test_dcmtk_is_answered(node: Node, one: Path) -> None:
    with node.listening(OPTIONS) as port:
        called("echoscu", "-aet", "SENDER", "-aec", "EDGESEG", "127.0.0.1", str(port))
        called("storescu", "-aet", "SENDER", "-aec", "EDGESEG", "127.0.0.1", str(port), one)
    assert node.objects == 1


@pytest.mark.parametrize(
    ("title", "called_title", "peer"),
    [("OTHER", "EDGESEG", "127.0.0.1"), ("SENDER", "OTHER", "127.0.0.1"), ("SENDER", "EDGESEG", "10.0.0.0/8")],
    ids=["an unknown title", "a call for another", "another address"],
)
def test_who_is_not_on_the_list_is_rejected(node: Node, one: Path, title: str, called_title: str, peer: str) -> None:
    options = replace(OPTIONS, peers=(Peer(ae_title="SENDER", address=peer),))
    with node.listening(options) as port:
        assert send(port, one, title=title, called=called_title) == []
    assert node.objects == 0


def test_another_content_under_a_known_identifier_is_a_duplicate(node: Node, one: Path) -> None:
    with node.listening(OPTIONS) as port:
        assert send(port, one) == [0]
        changed(one, lambda read: setattr(read, "PatientComments", "another"))
        assert send(port, one) == [0x0111]
    assert node.objects == 1


def test_an_object_of_a_class_that_is_not_taken(node: Node, one: Path) -> None:
    """Its class is refused as the association is made; under a false class it is found out as it is looked at."""
    with node.listening(OPTIONS) as port:
        assert send(port, changed(one, lambda read: setattr(read, "StudyInstanceUID", ""))) == [0xC000]

        def capture(read: pydicom.Dataset) -> None:
            read.SOPClassUID = read.file_meta.MediaStorageSOPClassUID = SECONDARY_CAPTURE

        assert send(port, changed(one, capture)) == []
    assert node.objects == 0


def test_an_object_that_is_larger_than_it_may_be_ends_the_association(node: Node, one: Path) -> None:
    def grow(read: pydicom.Dataset) -> None:
        read.Rows = read.Columns = 2000
        read.PixelData = bytes(2000 * 2000 * 2)

    with node.listening(OPTIONS) as port:
        assert send(port, changed(one, grow)) == [-1]
        assert node.refused("large")
        assert node.objects == 0
        assert list((node.place.root / "under-way").iterdir()) == []


def test_there_is_no_room(node: Node, one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with node.listening(replace(OPTIONS, disk_mb=10)) as port:
        monkeypatch.setattr(node.queue, "held_bytes", lambda: 10 << 20)
        assert send(port, one) == [0xA700]
        monkeypatch.undo()
        assert send(port, one) == [0]


def test_a_full_disk_loses_nothing(node: Node, one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_what: object) -> None:
        raise OSError(28, "No space left on device")

    with node.listening(OPTIONS) as port:
        monkeypatch.setattr(node.place, "put", full)
        assert send(port, one) == [0xA700]
        assert node.objects == 0
        monkeypatch.undo()
        assert send(port, one) == [0]


HOSTILE = {
    "no PDU": UNKNOWN_PDU,
    "a PDU of 4 GB": b"\x01\x00" + struct.pack(">L", 0xFFFFFFFF) + bytes(1000),
    "an association request of zeros": b"\x01\x00" + struct.pack(">L", 5000) + bytes(5000),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "half a head": b"\x01\x00\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_bad_peer_is_let_go_and_the_others_are_served(node: Node, one: Path, what: str) -> None:
    with node.listening(OPTIONS) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
            peer.sendall(HOSTILE[what])
            begun = time.monotonic()
            assert peer.recv(1 << 16)[:1] in (b"", b"\x07")
            assert time.monotonic() - begun < 8
        assert send(port, one) == [0]


def test_a_peer_that_takes_all_connections_is_let_go(node: Node, one: Path) -> None:
    with node.listening(OPTIONS) as port, contextlib.ExitStack() as held:

        def crowd() -> bool:
            for _ in range(12):
                held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            return node.refused("busy")

        wait_for(crowd)
        wait_for(lambda: send(port, one) == [0], seconds=15)


def test_an_association_may_not_last_for_ever(node: Node, one: Path) -> None:
    with node.listening(replace(OPTIONS, association_s=1.0)) as port:
        begun, statuses = time.monotonic(), [0]
        ae = AE(ae_title="SENDER")
        ae.dimse_timeout = 1
        ae.add_requested_context(Verification)
        association = ae.associate("127.0.0.1", port, ae_title="EDGESEG")
        while association.is_established and time.monotonic() - begun < 10:
            statuses.append(int(association.send_c_echo().get("Status", -1)))
        assert statuses[-1] == -1
        assert node.refused("long")


def test_over_tls_and_not_without(node: Node, one: Path, tmp_path: Path) -> None:
    words = [
        program("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(words, check=True, capture_output=True)
    tls = Tls(certificate=str(tmp_path / "cert.pem"), key=str(tmp_path / "key.pem"))
    with node.listening(replace(OPTIONS, tls=tls)) as port:
        assert send(port, one) == []
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        assert send(port, one, tls=(context, "localhost")) == [0]


def test_a_full_queue_leaves_no_file_behind(node: Node, one: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_number: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with node.listening(OPTIONS) as port:
        put = node.place.put

        def placed(study: int, path: Path, name: str) -> None:
            put(study, path, name)
            full(study)

        monkeypatch.setattr(node.place, "put", placed)
        assert send(port, one) == [0xA700]
        assert [path for path in node.place.root.rglob("*.dcm") if path.is_file()] == []
        monkeypatch.undo()
        assert send(port, one) == [0]
