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
from edgeseg.results.builds import (
    CELL_FAILED,
    GOOD_STATUS,
    PARITY_FAILED,
    REFERENCE,
    ArtifactRow,
    BaselineResult,
    BuildResult,
    StageRecord,
)
from edgeseg.results.calibration import CalibrationPoint, CalibrationSet, CalibrationSlice, CalibrationStudy
from edgeseg.results.check import (
    BASELINE_SCHEMA_VERSION,
    CHECK_SCHEMA_VERSION,
    BaselineArtifact,
    CheckBaseline,
    CheckCase,
    CheckResult,
)
from edgeseg.results.choice import Choice, ChoiceGroup, ChoiceStep
from edgeseg.results.claims import Claim, ClaimsResult, MeasuredClaim
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval, LatencyResult
from edgeseg.results.comparison import ArtifactComparison, ClinicalChange, ComparisonResult
from edgeseg.results.compression import CompressResult, CompressStep, FoldCompression, FoldsCompressResult, NetworkSize
from edgeseg.results.device import (
    DeviceArtifact,
    DeviceCodes,
    DeviceEvidence,
    DeviceFigure,
    DeviceRun,
    InstructionCount,
)
from edgeseg.results.experiments import ExperimentLog, HeldOutScore, Outcome
from edgeseg.results.folds import FoldOutcome, FoldScore, OutOfFoldPatient, OutOfFoldResult
from edgeseg.results.inspection import (
    Execution,
    GraphFacts,
    Inspection,
    MetadataBytes,
    OperationCount,
    OutputKind,
    TensorDescription,
    WeightBytes,
)
from edgeseg.results.listings import CacheEntry, CacheList, ListedTarget, ListedVariant, TargetList, VariantList
from edgeseg.results.network import Census, Tier
from edgeseg.results.report import Report, ReportRow
from edgeseg.results.runs import (
    DONE,
    FAILED,
    PatientSegmentation,
    RunResult,
    SeriesList,
    SeriesListing,
    SliceSegmentation,
    UnusedFiles,
    UsedSequence,
)
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
from edgeseg.results.timing import NetworkTiming
from edgeseg.results.training import EpochRecord, TrainResult

__all__ = [
    "BASELINE_SCHEMA_VERSION",
    "BENCH_SCHEMA_VERSION",
    "CELL_FAILED",
    "CHECK_SCHEMA_VERSION",
    "DONE",
    "FAILED",
    "GOOD_STATUS",
    "PARITY_FAILED",
    "REFERENCE",
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
    "CacheEntry",
    "CacheList",
    "CalibrationPoint",
    "CalibrationSet",
    "CalibrationSlice",
    "CalibrationStudy",
    "Census",
    "CheckBaseline",
    "CheckCase",
    "CheckResult",
    "Choice",
    "ChoiceGroup",
    "ChoiceStep",
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
    "ExperimentLog",
    "FoldCompression",
    "FoldOutcome",
    "FoldScore",
    "FoldsCompressResult",
    "GemmRate",
    "GraphFacts",
    "HealthAnswer",
    "HeldOutScore",
    "Inspection",
    "InstitutionScore",
    "InstructionCount",
    "Interval",
    "LatencyResult",
    "LayerSensitivity",
    "ListedTarget",
    "ListedVariant",
    "MeasuredClaim",
    "MetadataBytes",
    "NetworkSize",
    "NetworkTiming",
    "OperationCount",
    "OutOfFoldPatient",
    "OutOfFoldResult",
    "Outcome",
    "OutputKind",
    "ParityResult",
    "PatientScore",
    "PatientSegmentation",
    "PredictAnswer",
    "Prediction",
    "Report",
    "ReportRow",
    "RunResult",
    "SegmentAnswer",
    "SelfTest",
    "SensitivityResult",
    "SeriesList",
    "SeriesListing",
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
    "TargetList",
    "TensorDescription",
    "Tier",
    "TrainResult",
    "TriedPoint",
    "UnusedFiles",
    "UsedSequence",
    "VariantList",
    "WeightBytes",
]
