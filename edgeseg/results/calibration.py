"""How much a held-out Dice depends on calibration."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Environment, Interval

CALIBRATION_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedClass:
    """One of several classes: what an int8 file scores on it, and the difference to the float network."""

    name: str
    dice: Interval
    delta: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPoint:
    """One calibration, and what the int8 file that rests on it scores; `delta` is against the float network.

    Of several classes Dice is their mean, and `classes` has each by itself.
    """

    data: str
    method: str
    slices: int
    patients: int
    calibration_sha256: str
    dice: Interval
    delta: Interval
    classes: tuple[CalibratedClass, ...] = field(default=(), metadata={LEFT_OUT: True})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSlice:
    """One slice by its patient and its name in the data set."""

    patient: str
    slice_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationSet:
    """The manifest of a calibration set.

    `seed` is that of the choice; `sha256` is `pixel_digest` of the slices as the data set stores them, in this order.
    """

    data: str
    seed: int
    slices: tuple[CalibrationSlice, ...]
    sha256: str
    schema_version: int = CALIBRATION_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse an empty set, a slice that stands in it twice, and a manifest of another version."""
        if self.schema_version != CALIBRATION_SCHEMA_VERSION:
            raise OptionError(
                f"the calibration set has schema version {self.schema_version} and this edgeseg reads "
                f"{CALIBRATION_SCHEMA_VERSION}; choose the slices again"
            )
        if not self.slices:
            raise OptionError("a calibration set holds no slices; at least one is needed")
        if len(set(self.slices)) != len(self.slices):
            raise OptionError("a calibration set names a slice twice; choose the slices again")

    @property
    def patients(self) -> tuple[str, ...]:
        """The patients that the slices come from, sorted."""
        return tuple(sorted({entry.patient for entry in self.slices}))
