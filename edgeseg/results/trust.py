"""How well a network knows where it is wrong: what `edgeseg trust` fitted, and what that is worth."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.choice import ChoiceGroup
from edgeseg.results.common import RESULT_SCHEMA_VERSION
from edgeseg.specs import InputLook, OutputTrust
from edgeseg.specs.one_line import check_names

POOR_BELOW = 0.7
"""A mask with a Dice below this is called poor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPatient:
    """One patient, by numbers that were fitted without the patient's group.

    `dice` is what the mask reached, `dice_expected` what was expected of it, None where it holds no tumour. `features`
    are those of `edgeseg.trust.features` by name. Volumes are pixels of the network's grid, the two ends those of the
    interval, None where nothing was found.
    """

    patient: str
    group: int
    dice: float
    dice_expected: float | None
    look: bool
    volume_px: int
    reference_px: int
    volume_low_px: float | None
    volume_high_px: float | None
    features: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """What is left where a share of the patients, those of the least expected Dice, is given to a person instead."""

    deferred_share: float
    kept: int
    dice_mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFigures:
    """What the numbers are worth on patients that they were not fitted on.

    `poor` masks have a Dice below `POOR_BELOW`; `auroc_poor` is how well the expected Dice tells them from the others,
    None where there are none, and `spearman` its rank correlation with the true Dice. `poor_flagged` of the poor and
    `good_flagged` of the others are to be looked at. The volume's interval holds the true volume of `volume_covered` of
    the `volume_intervals` patients that have one; `volume_width_median` is its width in shares of the volume.
    """

    patients: int
    dice_mean: float
    poor: int
    auroc_poor: float | None
    spearman: float | None
    poor_flagged: int
    good_flagged: int
    deferral: tuple[Deferral, ...]
    volume_intervals: int
    volume_covered: int
    volume_width_median: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Pixels of about one probability: their mean probability, and the share of them that is tumour."""

    probability_mean: float
    tumour_share: float
    pixels: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """Whether pixels at probability p are tumour in a share p, as the network gives them and scaled.

    `error_before` and `error_after` are expected calibration errors; each patient's scale was fitted without the
    patient's group. Pixels whose probability is below 0.01 as given are left out.
    """

    error_before: float
    error_after: float
    before: tuple[ReliabilityBin, ...]
    after: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTrust:
    """One of several masks by itself; all is as in `TrustResult`, `threshold` that of these weights' mask.

    Patients who have nothing of the class, neither in the reference nor drawn, are left out. Where nothing was drawn
    the mask itself is not flagged, since a patient need not have every class.
    """

    name: str
    threshold: float
    trust: OutputTrust
    figures: TrustFigures
    reliability: Reliability
    patients: tuple[TrustPatient, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagAgreement:
    """Whether an int8 file flags the same patients as the float network, by the numbers that ship.

    `learned_from` of the patients trained the network, which makes no difference to what is compared.
    """

    artifact: str
    sha256: str
    patients: int
    same_flag: int
    learned_from: int
    dice_expected_off_max: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCheck:
    """What inputs look like, learned from `patients`, and what that is worth when learned from four fifths of them.

    Of the last fifth `false_alarms` were told to be odd as they are, and `told` of the `made_odd` that were made odd on
    purpose (`edgeseg.data.odd`). `same_sequence` further patients have two sequences that are the same, or one that is
    missing; they are told so, and nothing was learned from them.
    """

    look: InputLook
    patients: int
    false_alarms: int
    made_odd: int
    told: int
    same_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustResult:
    """What `edgeseg trust` found.

    `trust` is fitted on all groups together and settled on the patients whom these weights held out, and ships; the
    rest is of numbers that were fitted on all groups but one, settled on the other patients of the same network, and
    scored on that one (`left_out`: `fold` or `patient`). `weights_sha256` are those that it is for, and `threshold`
    and `passes` those of their masks. `own` has the same figures of the patients that these very weights held out, None
    where that is everybody. `int8` is None where no int8 file was at hand. `inputs` is None where
    too few patients trained the network.

    Of a network of several masks `trust` is None and `classes` has the numbers of each, but for those of `without`,
    on which nothing could be fitted. `figures` and `patients` are then of all masks together, as `edgeseg.trust.joined`
    has it: a patient's Dice is the mean over the masks that have anything drawn or in the reference, volumes are
    summed, and intervals are counted mask by mask. With `unseen` the user said that the network learned from none of
    the patients, and `inputs` was learned from the same ones.
    """

    variant: str
    weights_sha256: str
    threshold: float
    data: str
    groups: tuple[ChoiceGroup, ...]
    left_out: str
    trust: OutputTrust | None
    figures: TrustFigures
    reliability: Reliability
    patients: tuple[TrustPatient, ...]
    own: TrustFigures | None
    int8: FlagAgreement | None
    versions: dict[str, str]
    passes: int = field(default=1, metadata={LEFT_OUT: True})
    own_patients: tuple[TrustPatient, ...] = field(default=(), metadata={LEFT_OUT: True})
    inputs: InputCheck | None = field(default=None, metadata={LEFT_OUT: True})
    classes: tuple[ClassTrust, ...] = field(default=(), metadata={LEFT_OUT: True})
    without: tuple[str, ...] = field(default=(), metadata={LEFT_OUT: True})
    unseen: bool = field(default=False, metadata={LEFT_OUT: True})
    schema_version: int = RESULT_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse one without numbers, one with those of one mask beside those of several, and masks named twice."""
        if (self.trust is None) != bool(self.classes):
            raise OptionError("there are numbers of one mask, trust, or of several, classes; one of the two is needed")
        check_names("mask of trust", self.masks)
        if len(set(self.masks)) != len(self.masks) or (self.without and not self.classes):
            raise OptionError(
                f"classes and without name {len(self.masks)} masks, '{self.masks[-1]}' the last; each is named once in "
                "one of the two, and none in without beside the numbers of one mask"
            )

    @property
    def masks(self) -> tuple[str, ...]:
        """Of several masks their names, those last on which nothing could be fitted."""
        return (*(one.name for one in self.classes), *self.without)

    @property
    def everybody(self) -> set[str]:
        """Whom it names, be it only as one who was left out with others."""
        rows = (*self.patients, *self.own_patients, *(row for one in self.classes for row in one.patients))
        return {row.patient for row in rows}.union(*(group.patients for group in self.groups))

    @property
    def numbers(self) -> tuple[OutputTrust, ...]:
        """What was fitted: of the one mask, or of each of several."""
        return (self.trust,) if self.trust is not None else tuple(one.trust for one in self.classes)
