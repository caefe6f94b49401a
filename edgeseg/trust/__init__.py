"""How far a mask is to be trusted, told from the network's own output: NumPy alone, the same in every runner."""

from __future__ import annotations

from edgeseg.trust.judge import Verdict, judge
from edgeseg.trust.tally import OutputCounts, OutputTally, features

__all__ = ["OutputCounts", "OutputTally", "Verdict", "features", "judge"]
