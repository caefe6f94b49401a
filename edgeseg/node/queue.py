"""What the node knows of its studies: one SQLite file that is true after a kill or a power cut at any moment.

A study is *received* while its objects come, *complete* when nothing of it came for a while, *done* when its results
lie on the disk, *sent* when every destination has them, and *failed*, with a reason, where one of these cannot be. A
study that comes again after it was done is a row of its own. Times of day stand in it for people alone and for the
deletion of old files; nothing else hangs on a clock that may jump.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from edgeseg.errors import OutputError

RECEIVED, COMPLETE, DONE, SENT, FAILED = STATES = ("received", "complete", "done", "sent", "failed")
WAITING = "waiting"
_VERSION = 1
_CACHE_KB = 256
"""Pages that SQLite keeps in memory, which would otherwise grow to 2 MB with the studies that are remembered."""
_SETTINGS = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"cache_size = -{_CACHE_KB}")
_TABLES = """
CREATE TABLE studies (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, state TEXT NOT NULL, reason TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0, kept INTEGER NOT NULL DEFAULT 1,
    bytes INTEGER NOT NULL DEFAULT 0, made REAL NOT NULL, changed REAL NOT NULL
);
CREATE INDEX studies_by_uid ON studies (uid);
CREATE INDEX studies_by_state ON studies (state);
CREATE TABLE instances (
    study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE, sop TEXT NOT NULL, digest TEXT NOT NULL,
    bytes INTEGER NOT NULL, PRIMARY KEY (study, sop)
) WITHOUT ROWID;
CREATE TABLE sendings (
    study INTEGER NOT NULL REFERENCES studies (id) ON DELETE CASCADE, destination TEXT NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT, PRIMARY KEY (study, destination)
) WITHOUT ROWID;
CREATE TABLE watched (path TEXT PRIMARY KEY, size INTEGER NOT NULL, changed_ns INTEGER NOT NULL) WITHOUT ROWID;
"""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS studies_kept ON studies (state, changed, bytes) WHERE kept",
    "CREATE INDEX IF NOT EXISTS studies_remembered ON studies (state, changed) WHERE NOT kept",
)
"""What is asked for each object, and many times a second, reads no study that is only remembered."""


class Came(Enum):
    """What an object is to the queue."""

    NEW, AGAIN, OTHER, MARKER = "new", "again", "other", "marker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One study; `objects` counts its instances."""

    id: int
    uid: str
    state: str
    reason: str | None
    attempts: int
    kept: bool
    bytes: int
    made: float
    changed: float
    objects: int


class Queue:
    """May be used from several threads, and from other processes at the same time."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            OutputError: when it cannot be opened, or is of a newer edgeseg.
        """
        self._lock = threading.RLock()
        try:
            self._file = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            self._file.row_factory = sqlite3.Row
            for setting in _SETTINGS:
                self._file.execute(f"PRAGMA {setting}")
            with self.writing():
                (found,) = self._file.execute("PRAGMA user_version").fetchone()
                if found == 0:
                    for one in _TABLES.strip().rstrip(";").split(";"):
                        self._file.execute(one)
                    self._file.execute(f"PRAGMA user_version = {_VERSION}")
                for one in _INDEXES if found <= _VERSION else ():
                    self._file.execute(one)
        except sqlite3.Error as error:
            raise OutputError(f"{path}: the queue cannot be opened ({error}); free space, or move it away") from error
        if found > _VERSION:
            raise OutputError(f"{path}: the queue is of a newer edgeseg (version {found}); use that one")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._file.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Do all of a block or nothing."""
        with self._lock:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:  # a full disk may have ended it, or failed at the commit
                    self._file.execute("ROLLBACK")
                raise

    def all(self, words: str, *values: Any) -> list[sqlite3.Row]:
        """Ask for rows."""
        with self._lock:
            return self._file.execute(words, values).fetchall()

    def change(self, words: str, *values: Any) -> int:
        """Change rows; gives how many."""
        with self._lock:
            return self._file.execute(words, values).rowcount

    def rows(self, *states: str) -> list[Row]:
        """List studies, the oldest first; those of all states where none is named."""
        wanted = states or STATES
        return self._rows(f"state IN ({', '.join('?' * len(wanted))})", *wanted)

    def rows_of(self, uid: str) -> list[Row]:
        """List what is known of one study, the oldest first."""
        return self._rows("uid = ?", uid)

    def count(self, state: str) -> int:
        """Say how many studies are in a state."""
        return int(self.all("SELECT COUNT(*) AS count FROM studies WHERE state = ?", state)[0]["count"])

    def row(self, study: int) -> Row | None:
        """Give one study."""
        return next(iter(self._rows("id = ?", study)), None)

    def _rows(self, where: str, *values: Any) -> list[Row]:
        columns = "id, uid, state, reason, attempts, kept, bytes, made, changed"
        counted = "(SELECT COUNT(*) FROM instances WHERE study = id) AS objects"
        found = self.all(f"SELECT {columns}, {counted} FROM studies WHERE {where} ORDER BY id", *values)
        return [Row(**{**dict(one), "kept": bool(one["kept"])}) for one in found]

    def held_bytes(self) -> int:
        """Say how many bytes of objects lie on the disk."""
        return int(self.all("SELECT COALESCE(SUM(bytes), 0) AS sum FROM studies WHERE kept")[0]["sum"])

    def add(self, uid: str, sop: str, digest: str, size: int, place: Callable[[int], None]) -> tuple[int, Came]:
        """Take an object into its study, which is open, opened again or begun; gives the study's number.

        Args:
            uid: of the study.
            sop: of the object.
            digest: of what it holds.
            size: in bytes.
            place: moves the file to its study's folder; called before it is known of.
        """
        with self.writing():
            study = self._open_study(uid)
            known = self.all("SELECT digest FROM instances WHERE study = ? AND sop = ?", study, sop)
            if known:
                return study, Came.AGAIN if known[0]["digest"] == digest else Came.OTHER
            place(study)
            self.change("INSERT INTO instances VALUES (?, ?, ?, ?)", study, sop, digest, size)
            self.change("UPDATE studies SET bytes = bytes + ?, changed = ? WHERE id = ?", size, time.time(), study)
        return study, Came.NEW

    def _open_study(self, uid: str) -> int:
        found = self.all(
            "SELECT id, state FROM studies WHERE uid = ? AND (state = ? OR (state = ? AND NOT claimed)) "
            "ORDER BY id DESC LIMIT 1", uid, RECEIVED, COMPLETE
        )  # fmt: skip
        now = time.time()
        if not found:
            self.change("INSERT INTO studies (uid, state, made, changed) VALUES (?, ?, ?, ?)", uid, RECEIVED, now, now)
            return int(self.all("SELECT last_insert_rowid() AS id")[0]["id"])
        if found[0]["state"] == COMPLETE:
            self.change("UPDATE studies SET state = ?, attempts = 0 WHERE id = ?", RECEIVED, found[0]["id"])
        return int(found[0]["id"])

    def complete(self, study: int) -> None:
        """Close a study that was being received."""
        self._move(study, COMPLETE, RECEIVED)

    def mark(self, uid: str) -> int | None:
        """Close the study of a UID, if it is being received; gives the number of the last of this UID, if any."""
        with self.writing():
            found = self.all("SELECT id FROM studies WHERE uid = ? ORDER BY id DESC LIMIT 1", uid)
            if not found:
                return None
            self.complete(found[0]["id"])
            return int(found[0]["id"])

    def claim(self, but: Iterable[int] = ()) -> Row | None:
        """Take the oldest study that is complete, other than those named, and count the attempt before it begins."""
        passed = set(but)
        with self.writing():
            found = [one["id"] for one in self.all("SELECT id FROM studies WHERE state = ? ORDER BY id", COMPLETE)]
            study = next((one for one in found if one not in passed), None)
            if study is None:
                return None
            self.change("UPDATE studies SET claimed = 1, attempts = attempts + 1 WHERE id = ?", study)
            return self.row(study)

    def release(self, study: int) -> None:
        """Give a study back, to be tried again."""
        self.change("UPDATE studies SET claimed = 0 WHERE id = ?", study)

    def release_all(self) -> None:
        """Give back what a killed node had taken."""
        self.change("UPDATE studies SET claimed = 0")

    def done(self, study: int, destinations: Iterable[str], reason: str | None = None) -> None:
        """Say that results lie on the disk; with a reason the study has failed once that report is sent."""
        with self.writing():
            self.change("DELETE FROM sendings WHERE study = ?", study)
            for one in destinations:
                self.change(
                    "INSERT INTO sendings (study, destination, state) VALUES (?, ?, ?)", study, one, WAITING
                )  # fmt: skip
            self._move(study, DONE, COMPLETE, reason)

    def fail(self, study: int, reason: str) -> None:
        """Set a study aside."""
        self._move(study, FAILED, COMPLETE, reason)

    def _move(self, study: int, to: str, since: str, reason: str | None = None) -> None:
        self.change(
            "UPDATE studies SET state = ?, reason = ?, claimed = 0, changed = ? WHERE id = ? AND state = ?",
            to, reason, time.time(), study, since,
        )  # fmt: skip

    def drop(self, study: int) -> None:
        """Forget a study; its files are the caller's to delete."""
        self.change("DELETE FROM studies WHERE id = ?", study)

    def dropped_files(self, study: int) -> None:
        """Say that the objects and results of a study are deleted."""
        self.change("UPDATE studies SET kept = 0 WHERE id = ?", study)
