"""How grey values become what a network takes, as data: every kind is a table of 256 numbers for each channel."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.errors import OptionError
from edgeseg.specs.training import NORMALISATIONS

MEAN_STD, Z_SCORE, PERCENTILE = "mean-std", "z-score", "percentile"
KINDS = (*NORMALISATIONS, MEAN_STD, Z_SCORE, PERCENTILE)
"""All normalisations that a contract may name; the first two need no more, the others an `Intensity`."""
SLICE, VOLUME = "slice", "volume"
SCOPES = (SLICE, VOLUME)
ALL_PIXELS, NON_ZERO = "all", "non-zero"
PIXELS = (ALL_PIXELS, NON_ZERO)
NOTHING = "nothing"
THEN = (NOTHING, Z_SCORE, MEAN_STD)
_LEAST, _GREATEST = 1e-6, 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Intensity:
    """What a normalisation of grey values needs to know beside its name.

    Attributes:
        over: whose pixels are counted: those of the `slice`, or of the whole `volume`.
        pixels: which of them: `all`, or those that are `non-zero`.
        zero_stays: with `non-zero`, whether a pixel of 0 becomes 0 (as in MONAI and nnU-Net) or is treated as others.
        together: whether percentiles, or the mean and deviation of a z-score, are of all channels together.
        low: percentile that becomes 0.
        high: percentile that becomes 1; what lies beyond either end is cut off.
        then: what follows a percentile range: `nothing`, `z-score` (of each channel, over the same pixels) or
            `mean-std`.
        mean: of each channel in the contract's order, for `mean-std`, of values after `scale` or the percentile range.
        std: likewise; what is divided by.
    """

    over: str = SLICE
    pixels: str = ALL_PIXELS
    zero_stays: bool = True
    together: bool = False
    low: float = 0.0
    high: float = 100.0
    then: str = NOTHING
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse unknown words, percentiles out of order, and deviations that nothing can be divided by."""
        for name, known in (("over", SCOPES), ("pixels", PIXELS), ("then", THEN)):
            if getattr(self, name) not in known:
                raise OptionError(f"intensity.{name} is '{getattr(self, name)}'; choose one of: {', '.join(known)}")
        if not 0.0 <= self.low < self.high <= 100.0:
            raise OptionError(
                f"intensity.low is {self.low} and intensity.high {self.high}; percentiles lie in [0, 100], in order"
            )
        if not all(abs(value) <= _GREATEST for value in self.mean):
            raise OptionError(
                f"intensity.mean is {list(self.mean)}; numbers from -{_GREATEST:g} to {_GREATEST:g} are needed"
            )
        if not all(_LEAST <= value <= _GREATEST for value in self.std):
            raise OptionError(
                f"intensity.std is {list(self.std)}; what values are divided by lies from {_LEAST:g} to {_GREATEST:g}"
            )


def check_normalisation(kind: str, intensity: Intensity | None, channels: int) -> None:
    """Refuse a normalisation that says too little, or something that it has no use for.

    Raises:
        OptionError: with what to write instead.
    """
    if kind not in KINDS:
        raise OptionError(f"normalisation is '{kind}'; choose one of: {', '.join(KINDS)}")
    if kind in NORMALISATIONS:
        if intensity is not None:
            raise OptionError(f"normalisation is '{kind}', which takes no intensity; leave that out")
        return
    if intensity is None:
        raise OptionError(f"normalisation is '{kind}' and intensity is missing; {_NEEDED[kind]}")
    if intensity.then != NOTHING and kind != PERCENTILE:
        raise OptionError(f"intensity.then is '{intensity.then}', which follows '{PERCENTILE}' and not '{kind}'")
    fixed = MEAN_STD in (kind, intensity.then)
    for name in ("mean", "std"):
        found = len(getattr(intensity, name))
        if found != (channels if fixed else 0):
            wanted = f"{channels}, one for each channel, are" if fixed else f"'{kind}' measures them, so none is"
            raise OptionError(f"intensity.{name} holds {found} numbers; {wanted} needed")


_NEEDED = {
    MEAN_STD: "give intensity.mean and intensity.std, a number for each channel",
    Z_SCORE: "say at least whose pixels are counted: intensity.over = slice or volume",
    PERCENTILE: "give at least intensity.over (slice or volume), intensity.low and intensity.high",
}
