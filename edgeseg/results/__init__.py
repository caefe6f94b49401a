"""Frozen outputs: what a stage found. Units are in the names, no arrays, JSON round trip through `edgeseg.jsonio`."""

from __future__ import annotations

from edgeseg.results.builds import ArtifactRow, BaselineResult, BuildResult, LatencyResult, StageRecord
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval
from edgeseg.results.comparison import ArtifactComparison, ComparisonResult
from edgeseg.results.runs import PatientSegmentation, RunResult, SliceSegmentation
from edgeseg.results.scores import EvalResult, InstitutionScore, ParityResult, PatientScore
from edgeseg.results.size import SizeLedger, SizeStep
from edgeseg.results.training import EpochRecord, TrainResult

__all__ = [
    "RESULT_SCHEMA_VERSION",
    "ArtifactComparison",
    "ArtifactRow",
    "BaselineResult",
    "BuildResult",
    "ComparisonResult",
    "Environment",
    "EpochRecord",
    "EvalResult",
    "InstitutionScore",
    "Interval",
    "LatencyResult",
    "ParityResult",
    "PatientScore",
    "PatientSegmentation",
    "RunResult",
    "SizeLedger",
    "SizeStep",
    "SliceSegmentation",
    "StageRecord",
    "TrainResult",
]
