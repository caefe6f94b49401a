"""How much a held-out Dice depends on calibration."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPoint:
    """One calibration, and what the int8 file that rests on it scores; `delta` is against the float network."""

    data: str
    method: str
    slices: int
    patients: int
    calibration_sha256: str
    dice: Interval
    delta: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationStudy:
    """Every point is scored on the same `patients` held-out patients."""

    command: str
    variant: str
    target: str
    weights_sha256: str
    data: str
    patients: int
    float_dice: Interval
    numerics: str
    points: tuple[CalibrationPoint, ...]
    seed: int
    environment: Environment
    schema_version: int = RESULT_SCHEMA_VERSION
