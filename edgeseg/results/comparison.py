"""Two builds side by side."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalChange:
    """What a mean hides: the patients that both artifacts scored, one by one.

    `worst_patient` is the one whose Dice fell most, or rose least. `patients_lower` and `patients_higher` count those
    whose Dice moved by more than `notable_dice`. Lesions and tumour-free slices are those of all these patients.
    """

    patients: int
    worst_patient: str
    worst_dice_before: float
    worst_dice_after: float
    notable_dice: float
    patients_lower: int
    patients_higher: int
    lesions: int
    lesions_found_before: int
    lesions_found_after: int
    tumour_free_slices: int
    false_positive_slices_before: int
    false_positive_slices_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassComparison:
    """One class of two artifacts, over the patients that both scored; `dice_delta` is `after - before`."""

    name: str
    dice_before: float
    dice_after: float
    dice_delta: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactComparison:
    """One artifact in two builds; a side that lacks it, or a figure that was not measured on both, is None.

    `dice_delta` is `after - before` over the patients that both scored, `patients` how many these are, and `clinical`
    says how each of them fared. Of several classes Dice is their mean, and `classes` has each by itself.
    `latency_ratio` is after / before; the two were not measured in one run, so drift of the machine is in it.
    """

    artifact: str
    variant: str
    size_bytes_before: int | None
    size_bytes_after: int | None
    dice_before: float | None
    dice_after: float | None
    dice_delta: Interval | None
    patients: int
    latency_ms_p50_before: float | None
    latency_ms_p50_after: float | None
    latency_ratio: float | None
    status_before: str | None
    status_after: str | None
    same_file: bool
    clinical: ClinicalChange | None = None
    classes: tuple[ClassComparison, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonResult:
    """What `edgeseg compare` finds; `differences` are the sentences that a reader must know before the figures."""

    before: str
    after: str
    artifacts: tuple[ArtifactComparison, ...]
    differences: tuple[str, ...]
    schema_version: int = RESULT_SCHEMA_VERSION
