"""What `edgeseg node status` prints."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSending:
    """Results of one study on their way to one destination; `state` is `waiting`, `sent` or `failed`."""

    destination: str
    state: str
    attempts: int
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStudy:
    """One study, by its number in the queue.

    `state` is `received`, `complete`, `done`, `sent` or `failed`; `objects` and `size_bytes` are of what was received,
    `attempts` how often it was begun, `kept` whether its files are still on the disk.
    """

    study: int
    state: str
    objects: int
    size_bytes: int
    attempts: int
    kept: bool
    reason: str | None = None
    sendings: tuple[NodeSending, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """The queue of a node; `counts` are of studies by state."""

    studies: tuple[NodeStudy, ...]
    counts: dict[str, int]
    schema_version: int = RESULT_SCHEMA_VERSION
