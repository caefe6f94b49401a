"""The queue: what follows what, and what a study is when it comes again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeseg.errors import OptionError, OutputError
from edgeseg.node import look
from edgeseg.node.again import Earlier
from edgeseg.node.inbox import Silence
from edgeseg.node.place import Place, object_name
from edgeseg.node.queue import COMPLETE, DONE, FAILED, RECEIVED, SENT, Came, Queue
from edgeseg.node.sendings import Sendings
from edgeseg.node.tidy import Tidy
from edgeseg.specs import Destination, NodeOptions


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "state")


@pytest.fixture
def queue(place: Place) -> Iterator[Queue]:
    made = Queue(place.queue)
    yield made
    made.close()


@pytest.fixture
def options(place: Place) -> NodeOptions:
    to = Destination(name="a", kind="folder", folder=str(place.root / "results"))
    return NodeOptions(state=str(place.root), destinations=(to,), silence_s=0.1)


def add(queue: Queue, place: Place, sop: str, *, uid: str = "1.2", text: str = "") -> tuple[int, Came]:
    digest = (text or sop).encode().hex().ljust(64, "0")

    def put(study: int) -> None:
        (path := place.fresh()).write_text(text or sop)
        place.put(study, path, object_name(digest))

    return queue.add(uid, sop, digest, 3, put)


def done(queue: Queue, place: Place, study: int, *to: str) -> None:
    queue.complete(study)
    assert queue.claim() is not None
    (folder := place.fresh()).mkdir()
    (folder / "seg.dcm").write_text("seg")
    place.publish(study, folder)
    queue.done(study, to)


def test_a_study_goes_from_state_to_state(queue: Queue, place: Place) -> None:
    study, came = add(queue, place, "1.1")
    assert (came, queue.rows()[0].state) == (Came.NEW, RECEIVED)
    queue.complete(study)
    row = queue.claim()
    assert row is not None
    assert (row.attempts, queue.rows()[0].state) == (1, COMPLETE)
    queue.done(study, ["a", "b"])
    sendings = Sendings(queue)
    assert sendings.next("a") == study
    sendings.sent(study, "a")
    assert queue.rows()[0].state == DONE
    sendings.missed(study, "b", "nobody", final=False)
    assert sendings.next("b") == study
    assert sendings.next("b", but=[study]) is None
    sendings.sent(study, "b")
    assert queue.rows()[0].state == SENT


def test_the_same_object_counts_once_and_another_of_its_name_is_not_taken(queue: Queue, place: Place) -> None:
    study, _ = add(queue, place, "1.1")
    assert add(queue, place, "1.1") == (study, Came.AGAIN)
    assert add(queue, place, "1.1", text="another") == (study, Came.OTHER)
    assert [path.read_text() for path in place.objects(study).iterdir()] == ["1.1"]
    assert queue.held_bytes() == 3


def test_studies_that_come_mixed_are_kept_apart(queue: Queue, place: Place) -> None:
    found = [add(queue, place, f"{uid}.{number}", uid=uid)[0] for number in range(3) for uid in ("1.2", "1.3")]
    assert found == [1, 2, 1, 2, 1, 2]
    assert [row.objects for row in queue.rows()] == [3, 3]


def test_an_object_that_comes_late_opens_its_study_again_unless_it_is_worked_on(queue: Queue, place: Place) -> None:
    study, _ = add(queue, place, "1.1")
    queue.complete(study)
    assert add(queue, place, "1.2")[0] == study
    assert queue.rows()[0].state == RECEIVED
    queue.complete(study)
    queue.claim()
    other, _ = add(queue, place, "1.3")
    assert other != study


def test_the_same_study_again_is_not_done_again(queue: Queue, place: Place) -> None:
    done(queue, place, add(queue, place, "1.1")[0])
    again, _ = add(queue, place, "1.1")
    row = queue.row(again)
    assert row is not None
    assert Earlier(queue, place).has_all(row)
    add(queue, place, "1.2")
    assert not Earlier(queue, place).has_all(row)


def test_late_objects_are_joined_to_those_before(queue: Queue, place: Place) -> None:
    first, _ = add(queue, place, "1.1")
    done(queue, place, first)
    late, _ = add(queue, place, "1.2")
    row = queue.row(late)
    assert row is not None
    Earlier(queue, place).join(row)
    assert sorted(path.read_text() for path in place.objects(late).iterdir()) == ["1.1", "1.2"]
    place.delete(first)
    assert len(list(place.objects(late).iterdir())) == 2


def test_what_failed_ends_in_the_same_study_when_it_comes_whole(queue: Queue, place: Place) -> None:
    first, _ = add(queue, place, "1.1")
    queue.complete(first)
    queue.claim()
    queue.fail(first, "no FLAIR")
    second, _ = add(queue, place, "1.2")
    row = queue.row(second)
    assert row is not None
    Earlier(queue, place).join(row)
    assert [(one.id, one.objects) for one in queue.rows()] == [(second, 2)]
    assert not place.objects(first).exists()


def test_files_are_deleted_when_they_were_sent(queue: Queue, place: Place, options: NodeOptions) -> None:
    study, _ = add(queue, place, "1.1")
    done(queue, place, study, "a")
    tidy = Tidy(queue, place, Silence(), options)
    tidy.step()
    assert place.objects(study).is_dir()
    Sendings(queue).sent(study, "a")
    tidy.step()
    assert not place.objects(study).exists()
    assert not place.results(study).exists()
    assert queue.held_bytes() == 0
    assert [row.state for row in queue.rows()] == [SENT]


def test_what_a_kill_leaves_is_swept_and_what_is_known_stays(queue: Queue, place: Place) -> None:
    study, _ = add(queue, place, "1.1")
    (place.objects(study) / "stray.dcm").write_text("half")
    (place.root / "in" / "77").mkdir()
    place.fresh().write_text("half")
    place.sweep(queue)
    assert [path.name for path in (place.root / "in").rglob("*") if path.is_file()] == [
        object_name(b"1.1".hex().ljust(64, "0"))
    ]
    assert list((place.root / "under-way").iterdir()) == []


def test_retry_and_forget(queue: Queue, place: Place, options: NodeOptions) -> None:
    study, _ = add(queue, place, "1.1")
    with pytest.raises(OptionError, match="only one that failed"):
        look.retry(options, study)
    with pytest.raises(OptionError, match="only one that is done"):
        look.forget(options, study)
    done(queue, place, study, "a")
    Sendings(queue).missed(study, "a", "it rejects", final=True)
    (told,) = look.status(options).studies
    assert (told.state, told.reason) == (FAILED, "a: it rejects")
    look.retry(options, study)
    assert queue.rows()[0].state == DONE
    assert Sendings(queue).next("a") == study
    look.forget(options, study)
    assert queue.rows() == []
    assert not place.objects(study).exists()
    with pytest.raises(OptionError, match="is not in the queue"):
        look.retry(options, 99)


def test_a_queue_of_a_newer_version_is_refused(queue: Queue, place: Place) -> None:
    with sqlite3.connect(place.queue) as file:
        file.execute("PRAGMA user_version = 9")
    file.close()
    with pytest.raises(OutputError, match="newer edgeseg"):
        Queue(place.queue)


def test_what_waits_for_a_destination_that_is_gone_fails(queue: Queue, place: Place) -> None:
    study, _ = add(queue, place, "1.1")
    done(queue, place, study, "a", "gone")
    sendings = Sendings(queue)
    sendings.drop_others(["a"])
    sendings.sent(study, "a")
    (row,) = queue.rows()
    assert (row.state, row.reason) == (FAILED, "gone: there is no destination of this name any more")


def test_a_queue_that_is_full_goes_on_when_there_is_room(queue: Queue) -> None:
    def taken(number: int) -> tuple[int, Came]:
        return queue.add("1.2", f"1.2.{number}", f"{number:064x}", 3, lambda _study: None)

    study, _ = taken(0)
    ((pages,),) = queue.all("PRAGMA page_count")
    queue.all(f"PRAGMA max_page_count = {pages}")
    told, number = "", 0
    while not told and number < 2000:
        try:
            taken(number := number + 1)
        except sqlite3.OperationalError as error:
            told = str(error)
    assert told == "database or disk is full"
    queue.all(f"PRAGMA max_page_count = {pages + 100}")
    (row,) = queue.rows()
    assert row.objects == number
    assert taken(number) == (study, Came.NEW)


@pytest.mark.parametrize(
    "words",
    [
        "SELECT COALESCE(SUM(bytes), 0) AS sum FROM studies WHERE kept",
        "SELECT id FROM studies WHERE state = 'sent' AND kept AND (changed < 1 OR 0)",
        "DELETE FROM studies WHERE state = 'sent' AND NOT kept AND changed < 1",
        "SELECT * FROM studies WHERE uid = '1.2' ORDER BY id",
    ],
    ids=["bytes held", "files to delete", "rows to forget", "the same study"],
)
def test_what_is_asked_often_reads_no_study_that_is_only_remembered(queue: Queue, words: str) -> None:
    for number in range(100):
        queue.add(f"1.{number}", f"1.2.{number}", f"{number:064x}", 3, lambda _study: None)
    queue.change("UPDATE studies SET state = ?, kept = 0 WHERE id > 3", SENT)
    plan = [str(one["detail"]) for one in queue.all(f"EXPLAIN QUERY PLAN {words}")]
    assert all("USING" in one and "INDEX" in one for one in plan if "studies" in one), plan


def test_a_queue_of_before_gets_its_indexes(queue: Queue, place: Place) -> None:
    queue.all("DROP INDEX studies_kept")
    again = Queue(place.queue)
    assert again.all("SELECT 1 AS found FROM sqlite_master WHERE name = 'studies_kept'")
    again.close()
