"""A network that somebody else trained becomes a run like any other."""

from __future__ import annotations

from edgeseg.stages.adopt.adopt import CONTRACT_FILE, RESULT_FILE, adopt, adopted, ask, name_of
from edgeseg.stages.adopt.source import SOURCE, copy_original, original_of

__all__ = [
    "CONTRACT_FILE",
    "RESULT_FILE",
    "SOURCE",
    "adopt",
    "adopted",
    "ask",
    "copy_original",
    "name_of",
    "original_of",
]
