"""Threshold and post-processing, chosen where networks did not train and scored where it was not chosen."""

from __future__ import annotations

from edgeseg.stages.choose.choice import CHOICE_FILE, caveat, choice_beside, choice_for, read_choice
from edgeseg.stages.choose.choose import choose

__all__ = [
    "CHOICE_FILE",
    "caveat",
    "choice_beside",
    "choice_for",
    "choose",
    "read_choice",
]
