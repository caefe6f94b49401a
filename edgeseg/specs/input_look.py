"""What inputs look like that a network learned from, as a few numbers that a contract carries."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from edgeseg.errors import OptionError
from edgeseg.specs.one_line import check_names

SWAPPED, CYCLED, APART = "swapped", "cycled", "apart"
INPUT_SIGNS = (
    SWAPPED, CYCLED, APART, "upside-down", "turned", "cut-out", "cut-off", "too-large", "too-small", "uneven-sides",
    "uneven-front", "uneven-back", "too-bright", "too-dark", "blurred", "noisy", "inverted", "marked",
)  # fmt: skip
"""What may be odd about an input; `edgeseg.trust` has the sentence that a reader is told of each."""
OF_HEAD = (
    "height", "width", "row", "column", "fill", "area", "ends", "front", "side", "mirror", "flip", "frame", "burnt",
)  # fmt: skip
OF_CHANNEL = (
    "mean", "spread", "black", "white", "rough", "texture", "outside", "rim", "bone", "cortex", "front_back",
    "left_right", "centre",
)  # fmt: skip
OF_PAIR = (
    "agree", "brighter", "mean", "spread", "black", "rough", "texture", "rim", "bone", "cortex", "centre", "front_back",
)  # fmt: skip
"""Names of the features of a volume, those of `edgeseg.trust.input_features`."""
_MOST_PAIRED, _LEAST, _GREATEST = 4, 1e-6, 1e6
_DIGITS, _NAMES = tuple(map(str, range(64))), {SWAPPED: 2, CYCLED: 3}


def channel_pairs(channels: int) -> tuple[tuple[int, int], ...]:
    """Return the pairs of channels that are compared: all of up to four, else those of neighbours."""
    if channels <= _MOST_PAIRED:
        return tuple(combinations(range(channels), 2))
    return tuple((one, one + 1) for one in range(channels - 1))


def feature_count(channels: int) -> int:
    """Return how many features a volume of so many channels has."""
    return len(OF_HEAD) + len(OF_CHANNEL) * channels + len(OF_PAIR) * len(channel_pairs(channels))


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSign:
    """One thing that may be odd: it is there where `bias` and the sum of weights times features exceed 0.

    Attributes:
        kind: one of `INPUT_SIGNS`.
        channels: numbers of the two channels that are `swapped`, or of those that stand in the places of the first,
            second and third where they are `cycled`; empty for other kinds.
        on: places in `InputLook.features`.
        weights: as many.
        bias: what the score begins with.
    """

    kind: str
    channels: tuple[int, ...]
    on: tuple[int, ...]
    weights: tuple[float, ...]
    bias: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLook:
    """What tells that an input is unlike those that the network learned from; of volumes.

    Attributes:
        features: which of `edgeseg.trust.input_features` are used, by number, each once.
        typical: of each, its median over the patients that it was fitted on.
        spread: what the distance from it is divided by, above 0.
        signs: what may be odd, each once: one of `INPUT_SIGNS`, and after spaces the numbers of the channels that it
            names, two of `swapped` and three of `cycled`, such as `swapped 0 1`.
        on: for each sign, places in `features`, each once.
        weights: for each sign, as many; a score of 1 is that of half of the inputs that were made odd in this way.
        bias: for each sign, what its score begins with.
        patients: how many it was fitted on.
        data: name of the data set.
    """

    features: tuple[int, ...]
    typical: tuple[float, ...]
    spread: tuple[float, ...]
    signs: tuple[str, ...]
    on: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    bias: tuple[float, ...]
    patients: int
    data: str

    def __post_init__(self) -> None:
        """Refuse numbers that nothing sensible could be computed with."""
        if not len(self.features) == len(self.typical) == len(self.spread):
            raise OptionError(
                f"trust.input has {len(self.features)} features, {len(self.typical)} typical values and "
                f"{len(self.spread)} spreads; as many of each are needed"
            )
        if any(number < 0 for number in self.features) or len(set(self.features)) != len(self.features):
            raise OptionError("trust.input.features are numbers from 0 on, each once")
        if not all(_LEAST <= value <= _GREATEST for value in self.spread):
            raise OptionError(f"trust.input.spread lies from {_LEAST:g} to {_GREATEST:g}, as it is divided by")
        numbers = (*self.typical, *self.bias, *(one for line in self.weights for one in line))
        if not all(abs(value) <= _GREATEST for value in numbers):
            raise OptionError(f"trust.input holds numbers beyond {_GREATEST:g}; smaller ones are needed")
        if not len(self.signs) == len(self.on) == len(self.weights) == len(self.bias):
            raise OptionError(
                f"trust.input has {len(self.signs)} signs, {len(self.on)} lists of features, {len(self.weights)} of "
                f"weights and {len(self.bias)} biases; as many of each are needed"
            )
        for sign in map(self._sign, range(len(self.signs))):
            _check_sign(sign, len(self.features))
        if len(set(self.signs)) != len(self.signs):
            raise OptionError("trust.input.signs has a sign twice; each stands there once")
        if self.patients < 1:
            raise OptionError(f"trust.input.patients is {self.patients}; at least 1 is needed")
        check_names("trust.input", (self.data,))

    @property
    def lines(self) -> tuple[InputSign, ...]:
        """The signs with all that belongs to each."""
        return tuple(map(self._sign, range(len(self.signs))))

    def check_channels(self, channels: int) -> None:
        """Refuse features and channels that a network of so many channels does not have.

        Raises:
            OptionError: with the rule.
        """
        if any(number >= feature_count(channels) for number in self.features):
            raise OptionError(
                f"trust.input uses feature {max(self.features)}, and with {channels} channels there are "
                f"{feature_count(channels)}; it is for another network"
            )
        if any(number >= channels for sign in self.lines for number in sign.channels):
            raise OptionError(f"trust.input names more channels than the network takes, which is {channels}")

    def _sign(self, index: int) -> InputSign:
        kind, *numbers = self.signs[index].split(" ")
        if not all(number in _DIGITS for number in numbers):
            raise OptionError(f"trust.input has the sign '{self.signs[index]}'; after its name stand channels' numbers")
        channels, on = tuple(map(int, numbers)), self.on[index]
        return InputSign(kind=kind, channels=channels, on=on, weights=self.weights[index], bias=self.bias[index])


def _check_sign(sign: InputSign, features: int) -> None:
    if sign.kind not in INPUT_SIGNS:
        raise OptionError(f"trust.input has the sign '{sign.kind}'; choose one of: {', '.join(INPUT_SIGNS)}")
    if len(sign.on) != len(sign.weights) or len(set(sign.on)) != len(sign.on) or not sign.on:
        raise OptionError(
            f"the sign '{sign.kind}' of trust.input has {len(sign.on)} features and {len(sign.weights)} weights; at "
            "least one feature, each once, and a weight for each are needed"
        )
    if not all(0 <= place < features for place in sign.on):
        raise OptionError(f"the sign '{sign.kind}' uses features that trust.input does not list")
    wanted = _NAMES.get(sign.kind, 0)
    if len(set(sign.channels)) != len(sign.channels) or len(sign.channels) != wanted:
        raise OptionError(
            f"the sign '{sign.kind}' of trust.input names channels {list(sign.channels)}; it names {wanted}"
        )
