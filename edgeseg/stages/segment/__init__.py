"""Segmentation of scans with one artifact, on the base install: what `edgeseg run` does."""

from __future__ import annotations

from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.listing import list_series
from edgeseg.stages.segment.run import run

__all__ = [
    "list_series",
    "run",
    "segment_case",
]
