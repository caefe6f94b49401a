"""Where the bytes of an artifact went, from the file that everything starts from."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeStep:
    """What is left after one step; `how` says whether the figure is the size of a file or a count times four bytes."""

    name: str
    size_bytes: int
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeLedger:
    """The steps of one artifact, the file with Adam's state first and the artifact's own file last.

    `container_bytes` is what the file holds besides tensors (graph, scales, contract), `gzip_size_bytes` the file
    compressed: zeros of a pruned network are stored like other weights, so only there do they show. `peak_rss_bytes` is
    the most memory that a process held which ran this file alone, interpreter and runtime included; None where the host
    does not tell.
    """

    artifact: str
    variant: str
    steps: tuple[SizeStep, ...]
    tensor_bytes: int
    container_bytes: int
    gzip_size_bytes: int
    peak_rss_bytes: int | None = None
    schema_version: int = RESULT_SCHEMA_VERSION
