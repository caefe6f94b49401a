"""Threshold and post-processing, chosen where networks did not train and scored where it was not chosen."""

from __future__ import annotations

from edgeseg.stages.choose.choice import CHOICE_FILE, caveat, read_choice
from edgeseg.stages.choose.choose import choose

__all__ = [
    "CHOICE_FILE",
    "caveat",
    "choose",
    "read_choice",
]
