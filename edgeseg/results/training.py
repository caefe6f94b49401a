"""What training leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.results.common import RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochRecord:
    """One epoch of a learning curve; `seconds` is its training time, Dice is None where it was not validated."""

    epoch: int
    step: int
    loss: float
    seconds: float
    dice_mean: float | None
    dice_median: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainResult:
    """What a training run leaves behind; `history` holds the epochs of this run and of those it resumed.

    `devices` trained together, each on its share of every batch. `images_per_second` is that of this run's epochs,
    None where none was left to train. `remarks` say what is odd about the outcome, and what to do.
    `network` is the name that the weights were given, empty where they have none.
    """

    variant: str
    weights: str
    sha256: str
    seed: int
    backend: str
    train_patients: int
    validation_patients: int
    steps: int
    images_per_second: float | None
    history: tuple[EpochRecord, ...]
    versions: dict[str, str]
    devices: int = 1
    remarks: tuple[str, ...] = ()
    network: str = ""
    schema_version: int = RESULT_SCHEMA_VERSION
