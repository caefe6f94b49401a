"""A choice of threshold and post-processing, and what it was chosen and scored on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.results.common import RESULT_SCHEMA_VERSION, Interval
from edgeseg.specs import OperatingPoint, PatientKey, named, not_comparable


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceStep:
    """How one way of choosing does on patients that it did not choose on, by networks that did not train on them.

    `chosen` holds what was chosen for each group that was left out, in the order of `Choice.groups`. `delta` is the
    paired difference of Dice to the step `plain`, None for `plain` itself. `dice_median_low` and `dice_median_high`
    are the 95 % bootstrap interval of the median. `cap_met` says whether the cap on false alarms could be kept while
    choosing, for every group. `dice_by_patient` has every patient once.
    `lesions` is 0 in files of a version that did not count them.
    """

    name: str
    flips: str
    dice: Interval
    dice_median: float
    dice_median_low: float
    dice_median_high: float
    delta: Interval | None
    false_positive_slices: int
    tumour_free_slices: int
    cap_met: bool
    chosen: tuple[OperatingPoint, ...]
    dice_by_patient: dict[str, float]
    lesions_found: int = 0
    lesions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceGroup:
    """Patients that are left out together, and the weights that were never trained on them."""

    run: str
    weights_sha256: str
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassChoice:
    """The steps of one of several masks, chosen and scored by itself."""

    name: str
    steps: tuple[ChoiceStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What `edgeseg choose` found.

    `chosen` is the operating point to ship, chosen on all groups together; the figures of `steps` are those of the same
    way of choosing on all groups but one, scored on that one. `groups` are the folds, or single patients where there
    was one run only (`left_out`: `fold` or `patient`). `shipped_step` names the step that chooses as `chosen` was.
    Of several masks `chosen` has a point for each, `classes` the steps of each, and `steps` are over their mean Dice.
    """

    variant: str
    data: str
    groups: tuple[ChoiceGroup, ...]
    left_out: str
    max_fp_share: float
    steps: tuple[ChoiceStep, ...]
    chosen: OperatingPoint
    cap_met: bool
    shipped_step: str
    bootstrap_seed: int
    bootstrap_samples: int
    versions: dict[str, str]
    classes: tuple[ClassChoice, ...] = field(default=(), metadata={LEFT_OUT: True})
    schema_version: int = RESULT_SCHEMA_VERSION

    def __post_init__(self) -> None:
        """Refuse a choice that does not hold the step that it says it was made by."""
        if self.shipped_step not in (names := [step.name for step in self.steps]):
            raise OptionError(
                f"shipped_step is '{self.shipped_step[:70]}', and the steps are: {', '.join(names) or 'none'}"
            )

    def step(self, name: str) -> ChoiceStep:
        """Return a step by its name."""
        return next(step for step in self.steps if step.name == name)

    @property
    def patients(self) -> tuple[str, ...]:
        """Whom it was made on: ids, or pseudonyms of them."""
        return tuple(patient for group in self.groups for patient in group.patients)

    def caveat(self, patients: Iterable[str], keys: Sequence[PatientKey] = ()) -> str | None:
        """Say what the choice is worth to a score over `patients`; None where it was made on none of them.

        `keys` are the site's, which tell who pseudonyms are; where they do not, it says so.
        """
        scored = tuple(patients)
        known = set(named(self.patients, scored, keys))
        both = sum(patient in known for patient in scored)
        if not both and not_comparable(known, keys):
            return (
                f"CANNOT TELL whether threshold and post-processing of {self.variant} were chosen on patients scored "
                "here, which would flatter them a little: the choice holds pseudonyms whose key is not here."
            )
        if not both:
            return None
        dice = self.step(self.shipped_step).dice
        return (
            f"Threshold and post-processing of {self.variant} were chosen on {both} of these {len(scored)} patients, "
            f"which flatters them a little: each {self.left_out} of the choice scored at what the others chose, "
            f"Dice is {dice.mean:.3f} [{dice.low:.3f}, {dice.high:.3f}], n = {len(known)}."
        )
