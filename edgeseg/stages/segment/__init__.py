"""Segmentation of scans with one artifact, on the base install: what `edgeseg run` does."""

from __future__ import annotations

from edgeseg.stages.segment.case import segment_case
from edgeseg.stages.segment.run import run

__all__ = [
    "run",
    "segment_case",
]
