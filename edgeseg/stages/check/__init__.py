"""Whether a build is still as good as a committed baseline."""

from __future__ import annotations

from edgeseg.stages.check.baseline import make_baseline, read_baseline, refuse_newer
from edgeseg.stages.check.check import CheckLimits, check
from edgeseg.stages.check.inputs import CheckedArtifact, read_artifacts
from edgeseg.stages.check.subgroups import MIN_SUBGROUP, Subgroups
from edgeseg.stages.check.trust import LIMITS, TrustLimits, TrustRules

__all__ = [
    "LIMITS",
    "MIN_SUBGROUP",
    "CheckLimits",
    "CheckedArtifact",
    "Subgroups",
    "TrustLimits",
    "TrustRules",
    "check",
    "make_baseline",
    "read_artifacts",
    "read_baseline",
    "refuse_newer",
]
