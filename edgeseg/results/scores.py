"""How an artifact does on patients, and against its float parent."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Interval
from edgeseg.results.device import DeviceFigure
from edgeseg.specs import PostProcessing


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """One patient's mask of one class; the fields are those of `PatientScore`."""

    name: str
    dice: float
    iou: float
    precision: float
    recall: float
    pixel_accuracy: float
    hd95_px: float | None
    lesions: int
    lesions_found: int
    tumour_free_slices: int
    false_positive_slices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientScore:
    """One patient, over the whole volume; see `edgeseg.metrics` for each definition.

    `hd95_px` is None where prediction or reference is empty and the other is not (no distance exists). Of several
    classes ratios are their means, counts their sums, and `hd95_px` is the mean where each has one; `classes` has
    them one by one, in the network's order.
    """

    patient: str
    institution: str
    slices: int
    dice: float
    iou: float
    precision: float
    recall: float
    pixel_accuracy: float
    hd95_px: float | None
    lesions: int
    lesions_found: int
    tumour_free_slices: int
    false_positive_slices: int
    classes: tuple[ClassScore, ...] = field(default=(), metadata={LEFT_OUT: True})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassResult:
    """One class over the patients; the fields are those of `EvalResult`, `threshold` and the rest its own."""

    name: str
    dice: Interval
    dice_median: float
    iou_mean: float
    hd95_px_median: float | None
    hd95_undefined: int
    lesion_recall: float | None
    false_positive_slice_rate: float | None
    threshold: float
    post_processing: PostProcessing


@dataclass(frozen=True, slots=True, kw_only=True)
class InstitutionScore:
    """The patients of one institution together."""

    institution: str
    patients: int
    dice_mean: float
    dice_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupScore:
    """The patients of one subgroup together; `subgroup` is "" for those of whom it is not known."""

    subgroup: str
    patients: int
    dice: Interval
    dice_median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubgroupResult:
    """The patients parted by one column, such as `site` or `scanner`.

    `worst` names the subgroup of at least `min_patients` patients whose mean Dice is lowest; None where none is that
    large.
    """

    column: str
    subgroups: tuple[SubgroupScore, ...]
    min_patients: int
    worst: str | None

    @property
    def worst_score(self) -> SubgroupScore | None:
        """The figures of `worst`."""
        return next((one for one in self.subgroups if self.worst is not None and one.subgroup == self.worst), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalResult:
    """How one artifact does on patients; `seen_patients` > 0 only when the caller insisted.

    `seen_unknown` counts whom training or calibration saw and nobody can tell here who they are, since the key of their
    pseudonyms is elsewhere: above 0 some of them may be among those scored.

    `lesion_recall` is None where no patient has a lesion, `false_positive_slice_rate` where no slice is tumour-free.
    `post_processing` is what was applied to the volumes, all off where raw masks were scored; `flips` are the test-time
    flips whose mean logits were scored, a key of `edgeseg.specs.FLIPS`; `simulation` is what was done to the slices
    before, a key of `edgeseg.stages.score.SIMULATIONS`. Of several classes the figures are over what `PatientScore` has
    of them together, so that Dice is the mean over classes and patients, and `classes` has each by itself. `subgroups`
    has the patients parted by each column that was asked for.
    """

    artifact: str
    data: str
    patients: tuple[PatientScore, ...]
    dice: Interval
    dice_median: float
    iou_mean: float
    precision_mean: float
    recall_mean: float
    pixel_accuracy_mean: float
    hd95_px_median: float | None
    hd95_undefined: int
    lesion_recall: float | None
    false_positive_slice_rate: float | None
    institutions: tuple[InstitutionScore, ...]
    threshold: float
    numerics: str
    seen_patients: int
    bootstrap_seed: int
    bootstrap_samples: int
    post_processing: PostProcessing = field(default_factory=PostProcessing)
    flips: str = "none"
    simulation: str = "none"
    seen_unknown: int = 0
    classes: tuple[ClassResult, ...] = field(default=(), metadata={LEFT_OUT: True})
    subgroups: tuple[SubgroupResult, ...] = field(default=(), metadata={LEFT_OUT: True})
    passes: int = field(default=1, metadata={LEFT_OUT: True})
    schema_version: int = RESULT_SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityResult:
    """One artifact against the float Keras network on the same inputs.

    `flips_ppm` is the number of mask pixels that differ at the operating threshold, per million pixels. `device` says
    of an int8 artifact whether this host's figure is a device's; None for float, and where nobody asked.
    """

    artifact: str
    reference: str
    slices: int
    max_logit_difference: float
    flipped_pixels: int
    flips_ppm: float
    worst_slice: str
    worst_slice_flipped_pixels: int
    max_flip_ppm: float
    passed: bool
    device: DeviceFigure | None = None
    schema_version: int = RESULT_SCHEMA_VERSION
