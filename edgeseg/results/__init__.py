"""Frozen outputs: what a stage found. Units are in the names, no arrays, JSON round trip through `edgeseg.jsonio`."""

from __future__ import annotations

from edgeseg.results.bench import (
    BENCH_SCHEMA_VERSION,
    BenchCell,
    BenchDevice,
    BenchResult,
    GemmRate,
    SpeedRatio,
    Sustained,
)
from edgeseg.results.budget import BudgetResult, DiceDrop, TriedPoint
from edgeseg.results.builds import ArtifactRow, BaselineResult, BuildResult, StageRecord
from edgeseg.results.calibration import CalibrationPoint, CalibrationStudy
from edgeseg.results.check import (
    BASELINE_SCHEMA_VERSION,
    CHECK_SCHEMA_VERSION,
    BaselineArtifact,
    CheckBaseline,
    CheckCase,
    CheckResult,
)
from edgeseg.results.claims import Claim, ClaimsResult, MeasuredClaim
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval, LatencyResult
from edgeseg.results.comparison import ArtifactComparison, ClinicalChange, ComparisonResult
from edgeseg.results.compression import (
    CompressResult,
    CompressStep,
    FoldCompression,
    FoldsCompressResult,
    NetworkSize,
)
from edgeseg.results.device import (
    DeviceArtifact,
    DeviceCodes,
    DeviceEvidence,
    DeviceFigure,
    DeviceRun,
    InstructionCount,
)
from edgeseg.results.inspection import (
    Execution,
    GraphFacts,
    Inspection,
    MetadataBytes,
    OperationCount,
    TensorDescription,
    WeightBytes,
)
from edgeseg.results.runs import PatientSegmentation, RunResult, SliceSegmentation
from edgeseg.results.scores import EvalResult, InstitutionScore, ParityResult, PatientScore
from edgeseg.results.selftest import SelfTest
from edgeseg.results.sensitivity import LayerSensitivity, SensitivityResult
from edgeseg.results.serving import (
    ErrorAnswer,
    HealthAnswer,
    PredictAnswer,
    Prediction,
    SegmentAnswer,
    ServedFile,
    ServedModel,
    ServedSlice,
    ServedTimes,
)
from edgeseg.results.size import SizeLedger, SizeStep
from edgeseg.results.training import EpochRecord, TrainResult

__all__ = [
    "BASELINE_SCHEMA_VERSION",
    "BENCH_SCHEMA_VERSION",
    "CHECK_SCHEMA_VERSION",
    "RESULT_SCHEMA_VERSION",
    "ArtifactComparison",
    "ArtifactRow",
    "BaselineArtifact",
    "BaselineResult",
    "BenchCell",
    "BenchDevice",
    "BenchResult",
    "BudgetResult",
    "BuildResult",
    "CalibrationPoint",
    "CalibrationStudy",
    "CheckBaseline",
    "CheckCase",
    "CheckResult",
    "Claim",
    "ClaimsResult",
    "ClinicalChange",
    "ComparisonResult",
    "CompressResult",
    "CompressStep",
    "DeviceArtifact",
    "DeviceCodes",
    "DeviceEvidence",
    "DeviceFigure",
    "DeviceRun",
    "DiceDrop",
    "Environment",
    "EpochRecord",
    "ErrorAnswer",
    "EvalResult",
    "Execution",
    "FoldCompression",
    "FoldsCompressResult",
    "GemmRate",
    "GraphFacts",
    "HealthAnswer",
    "Inspection",
    "InstitutionScore",
    "InstructionCount",
    "Interval",
    "LatencyResult",
    "LayerSensitivity",
    "MeasuredClaim",
    "MetadataBytes",
    "NetworkSize",
    "OperationCount",
    "ParityResult",
    "PatientScore",
    "PatientSegmentation",
    "PredictAnswer",
    "Prediction",
    "RunResult",
    "SegmentAnswer",
    "SelfTest",
    "SensitivityResult",
    "ServedFile",
    "ServedModel",
    "ServedSlice",
    "ServedTimes",
    "SizeLedger",
    "SizeStep",
    "SliceSegmentation",
    "SpeedRatio",
    "StageRecord",
    "Sustained",
    "TensorDescription",
    "TrainResult",
    "TriedPoint",
    "WeightBytes",
]
