"""How far a mask is to be trusted, as a few numbers that a contract carries: `edgeseg.trust` computes with them."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgeseg.errors import OptionError
from edgeseg.jsonio import LEFT_OUT
from edgeseg.specs.input_look import InputLook
from edgeseg.specs.one_line import check_names
from edgeseg.specs.probability import LEAST_THRESHOLD

BORDER, NEIGHBOURS = "log_unsure_border", "neighbours"
TRUST_FEATURES = (BORDER, NEIGHBOURS)
"""What is measured on the logits of a volume; `edgeseg.trust.features` says how."""
_GREATEST = 1e6
_VALUES = {BORDER: (-20.0, 20.0), NEIGHBOURS: (0.0, 1.0)}
"""Between what values a feature lies: the logarithm of a width in pixels, and a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFeature:
    """One feature's part in the expected Dice: `weight * (value - typical)` is added to its logit.

    Attributes:
        name: one of `TRUST_FEATURES`.
        weight: what one unit of it changes.
        typical: its mean over patients that the network held out; a longer training makes sharper borders.
    """

    name: str
    weight: float
    typical: float

    def __post_init__(self) -> None:
        """Refuse a feature that no runner computes, and a typical value that it cannot have."""
        if self.name not in TRUST_FEATURES:
            raise OptionError(f"trust feature '{self.name}' is unknown; choose one of: {', '.join(TRUST_FEATURES)}")
        for name in ("weight", "typical"):
            _check_finite(f"{name} of trust feature '{self.name}'", getattr(self, name))
        low, high = _VALUES[self.name]
        if not low <= self.typical <= high:
            raise OptionError(
                f"typical of trust feature '{self.name}' is {self.typical}; values of it lie from {low:g} to {high:g}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputTrust:
    """What the network's output tells of its mask of a volume, or of one of its masks.

    The logit of the expected Dice is `intercept` and the sum of the features' parts. A volume V lies in
    [V * (1 - volume_low * d), V * (1 + volume_high * d)] in `coverage` of the patients, d being 1 less the expected
    Dice, and the lower end no less than 0.

    Attributes:
        low: the probability above which a pixel might be tumour.
        middle: that whose mask has the border.
        high: that above which a pixel is surely tumour.
        intercept: logit of the Dice that is expected of a volume with typical features, of this network.
        features: at least one, each once, in the order in which they are summed.
        look_below: a patient whose expected Dice is below this is to be looked at.
        volume_low: see above.
        volume_high: likewise.
        coverage: the share of patients whose true volume lies in the interval.
        slope: what logits are multiplied by to become those of calibrated probabilities.
        offset: what is added then.
        threshold: the operating point of the masks that it was fitted on.
        patients: how many the weights, the level and the interval were fitted on; the networks that drew their masks
            had not learned from them.
        groups: into how many groups these were divided, each scored by what was fitted on the others.
        network: slug of the networks that drew them.
        data: name of the data set.
    """

    low: float
    middle: float
    high: float
    intercept: float
    features: tuple[TrustFeature, ...]
    look_below: float
    volume_low: float
    volume_high: float
    coverage: float
    slope: float
    offset: float
    threshold: float
    patients: int
    groups: int
    network: str
    data: str

    def __post_init__(self) -> None:
        """Refuse numbers that nothing sensible could be computed with."""
        names = [one.name for one in self.features]
        if not names or len(set(names)) != len(names):
            raise OptionError(f"trust.output.features are {names}; give at least one, each once")
        if not LEAST_THRESHOLD <= self.low < self.middle < self.high <= 1.0 - LEAST_THRESHOLD:
            raise OptionError(
                f"trust.output has low {self.low}, middle {self.middle} and high {self.high}; probabilities between 0 "
                f"and 1 in this order are needed, at least {LEAST_THRESHOLD:g} from both ends"
            )
        for name in ("look_below", "coverage", "threshold"):
            if not 0.0 < getattr(self, name) < 1.0:
                raise OptionError(f"trust.output.{name} is {getattr(self, name)}; a number between 0 and 1 is needed")
        for name in ("intercept", "volume_low", "volume_high", "slope", "offset"):
            _check_finite(f"trust.output.{name}", getattr(self, name))
        for name in ("volume_low", "volume_high"):
            if getattr(self, name) < 0.0:
                raise OptionError(f"trust.output.{name} is {getattr(self, name)}; 0 or more is needed")
        if self.slope <= 0.0:
            raise OptionError(f"trust.output.slope is {self.slope}; a number above 0 is needed")
        if not 0 < self.groups <= self.patients:
            raise OptionError(
                f"trust.output has {self.patients} patients in {self.groups} groups; each group has at least one"
            )
        check_names("trust.output", (self.network, self.data))

    @property
    def levels(self) -> tuple[float, float, float]:
        """The three probabilities, in order."""
        return self.low, self.middle, self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What tells that a mask may be wrong: `output`, from what the network gave; `input`, from what it was given.

    A part that is missing is None.
    """

    output: OutputTrust | None = field(default=None, metadata={LEFT_OUT: True})
    input: InputLook | None = field(default=None, metadata={LEFT_OUT: True})

    def __post_init__(self) -> None:
        """Refuse an empty one."""
        if self.output is None and self.input is None:
            raise OptionError("trust holds nothing; give trust.output or trust.input, or leave trust out")


def check_trust(trust: Trust | None, *, masks: int, channels: int) -> None:
    """Refuse what is for another number of masks than a network draws, or of channels than it takes.

    Raises:
        OptionError: with the rule.
    """
    if trust is not None and trust.output is not None and masks > 1:
        raise OptionError("trust.output is for a network of one mask, and there are regions; give each a trust instead")
    if trust is not None and trust.input is not None:
        trust.input.check_channels(channels)


def _check_finite(what: str, value: float) -> None:
    if not abs(value) <= _GREATEST:
        raise OptionError(f"{what} is {value}; a number from -{_GREATEST:g} to {_GREATEST:g} is needed")
