"""How far a mask is to be trusted, told from the network's input and output: NumPy alone, the same in every runner."""

from __future__ import annotations

from edgeseg.trust.input_features import input_features
from edgeseg.trust.input_judge import (
    COPIED,
    EDGE,
    MISSING,
    SAID,
    Oddity,
    certain,
    input_oddity,
    same_sequence,
    sign_scores,
)
from edgeseg.trust.input_tally import InputTally, slices_looked_at
from edgeseg.trust.judge import NOTHING, Verdict, joined, judge
from edgeseg.trust.tally import OutputCounts, OutputTally, RegionTally, features

__all__ = [
    "COPIED",
    "EDGE",
    "MISSING",
    "NOTHING",
    "SAID",
    "InputTally",
    "Oddity",
    "OutputCounts",
    "OutputTally",
    "RegionTally",
    "Verdict",
    "certain",
    "features",
    "input_features",
    "input_oddity",
    "joined",
    "judge",
    "same_sequence",
    "sign_scores",
    "slices_looked_at",
]
