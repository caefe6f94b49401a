"""What `edgeseg node status`, `retry` and `forget` do, beside a node that runs or without one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from edgeseg.errors import OptionError
from edgeseg.node.place import Place
from edgeseg.node.queue import COMPLETE, DONE, FAILED, SENT, STATES, Queue, Row
from edgeseg.node.sendings import Sendings
from edgeseg.results.node import NodeSending, NodeStatus, NodeStudy
from edgeseg.specs import NodeOptions


@contextlib.contextmanager
def _opened(options: NodeOptions) -> Iterator[tuple[Queue, Place]]:
    if not (Path(options.state) / "queue.sqlite").is_file():
        raise OptionError(f"{options.state}: there is no queue of a node; check 'state' in the configuration")
    place = Place(Path(options.state))
    queue = Queue(place.queue)
    try:
        yield queue, place
    finally:
        queue.close()


def status(options: NodeOptions) -> NodeStatus:
    """Say what the queue holds; studies go by their number, nothing of a patient is in it.

    Raises:
        OptionError: when there is no queue.
    """
    with _opened(options) as (queue, _):
        sendings = Sendings(queue)
        rows = queue.rows()
        studies = tuple(
            NodeStudy(
                study=row.id,
                state=row.state,
                objects=row.objects,
                size_bytes=row.bytes,
                attempts=row.attempts,
                kept=row.kept,
                reason=row.reason,
                sendings=tuple(
                    NodeSending(destination=name, state=state, attempts=attempts, reason=reason)
                    for name, (state, attempts, reason) in sendings.of(row.id).items()
                ),
            )
            for row in rows
        )
        counts = {state: sum(row.state == state for row in rows) for state in STATES}
        return NodeStatus(studies=studies, counts=counts)


def retry(options: NodeOptions, study: int) -> None:
    """Let a study that failed be tried again: sent, where its results are there, else segmented.

    Raises:
        OptionError: when there is no such study, it has not failed, or its files are deleted.
    """
    with _opened(options) as (queue, place):
        row = queue.row(study)
        if row is None or row.state != FAILED:
            raise OptionError(f"study {study} {_is(row)}; only one that failed can be tried again")
        if not row.kept:
            raise OptionError(f"study {study}: its files were deleted; have it sent again")
        sendings = Sendings(queue)
        with queue.writing():
            resent = bool(place.files(study)) and sendings.again(study)
            to = DONE if resent else COMPLETE
            queue.change(
                "UPDATE studies SET state = ?, attempts = 0, claimed = 0, reason = NULL WHERE id = ?", to, study
            )


def forget(options: NodeOptions, study: int) -> None:
    """Delete a study and its files; it is done anew when it is sent again.

    Raises:
        OptionError: when there is no such study, or it is still received or worked on.
    """
    with _opened(options) as (queue, place):
        row = queue.row(study)
        if row is None or row.state not in (DONE, SENT, FAILED):
            raise OptionError(f"study {study} {_is(row)}; only one that is done can be forgotten")
        queue.drop(study)
        place.delete(study)


def _is(row: Row | None) -> str:
    return "is not in the queue" if row is None else f"is {row.state}"
