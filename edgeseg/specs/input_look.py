"""What inputs look like that a network learned from, as a few numbers that a contract carries."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.errors import OptionError
from edgeseg.specs.one_line import check_names

SWAPPED, CYCLED, APART = "swapped", "cycled", "apart"
OF_CHANNELS = (SWAPPED, CYCLED, APART)
INPUT_SIGNS = (
    SWAPPED, CYCLED, APART, "upside-down", "turned", "cut-out", "cut-off", "too-large", "too-small", "uneven-sides",
    "uneven-front", "uneven-back", "too-bright", "too-dark", "blurred", "noisy", "inverted", "marked",
)  # fmt: skip
"""What may be odd about an input; `edgeseg.trust` has the sentence that a reader is told of each."""
_GREATEST = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSign:
    """One thing that may be odd: it is where `bias` and the sum of `weights` times the features named by `on` exceed 0.

    Attributes:
        kind: one of `INPUT_SIGNS`.
        channels: numbers of the two channels that are `swapped`, or of those that stand in the places of the first,
            second and third where they are `cycled`; empty for other kinds.
        on: places in `InputLook.features`, each once.
        weights: as many; a score of 1 is that of half of the inputs that were made odd in this way.
        bias: what the score begins with.
    """

    kind: str
    channels: tuple[int, ...]
    on: tuple[int, ...]
    weights: tuple[float, ...]
    bias: float

    def __post_init__(self) -> None:
        """Refuse an unknown kind and lists that do not match."""
        if self.kind not in INPUT_SIGNS:
            raise OptionError(f"trust.input has the sign '{self.kind}'; choose one of: {', '.join(INPUT_SIGNS)}")
        if len(self.on) != len(self.weights) or len(set(self.on)) != len(self.on) or not self.on:
            raise OptionError(f"the sign '{self.kind}' has {len(self.on)} features and {len(self.weights)} weights")
        if not all(abs(value) <= _GREATEST for value in (*self.weights, self.bias)):
            raise OptionError(f"the sign '{self.kind}' has weights beyond {_GREATEST:g}; smaller numbers are needed")
        wanted = {SWAPPED: 2, CYCLED: 3}.get(self.kind, 0)
        if len(set(self.channels)) != len(self.channels) or len(self.channels) != wanted:
            raise OptionError(f"the sign '{self.kind}' names channels {list(self.channels)}; it needs {wanted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InputLook:
    """What tells that an input is unlike those that the network learned from; of volumes.

    Attributes:
        features: which of `edgeseg.trust.input_features` are used, by number, in order.
        typical: of each, its median over the patients that it was fitted on.
        spread: what the distance from it is divided by, above 0.
        signs: what may be odd.
        patients: how many it was fitted on.
        data: name of the data set.
    """

    features: tuple[int, ...]
    typical: tuple[float, ...]
    spread: tuple[float, ...]
    signs: tuple[InputSign, ...]
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
        if not all(abs(value) <= _GREATEST for value in self.typical):
            raise OptionError(f"trust.input.typical goes beyond {_GREATEST:g}; smaller numbers are needed")
        if not all(1e-6 <= value <= _GREATEST for value in self.spread):
            raise OptionError(f"trust.input.spread lies from 1e-06 to {_GREATEST:g}, as it is divided by")
        for sign in self.signs:
            if not all(0 <= place < len(self.features) for place in sign.on):
                raise OptionError(f"the sign '{sign.kind}' uses features that trust.input does not list")
        if self.patients < 1:
            raise OptionError(f"trust.input.patients is {self.patients}; at least 1 is needed")
        check_names("trust.input", (self.data,))
