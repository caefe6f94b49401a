"""From features of a volume to what a reader is told: expected Dice, whether to look, why, and a volume's interval.

Double precision, in the order given here:

1. `score = intercept`, then for each feature in the contract's order `score = score + weight * (value - typical)`.
2. `expected = 1 / (1 + exp(-score))`, score cut off at -50 and 50 first.
3. Look at it where `score < log(look_below / (1 - look_below))`. The reason is the feature whose part of the score is
   the least, the first of equals.
4. Of a volume V with `d = 1 - expected`: from `max(0, V * (1 - volume_low * d))` to `V * (1 + volume_high * d)`.
5. Where nothing is above the middle level there is no score: look at it, no expected Dice and no interval.

Of several masks each is judged by itself, and of the patient (`joined`):

6. Look at it where a mask in which something was found is to be looked at; the reason is that of the one with the least
   expected Dice, the first of equals, its name before it. A mask in which nothing was found says nothing of the others.
7. The expected Dice is the mean of those masks', summed in their order. There is no interval.
8. Where nothing was found in any it is as in 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edgeseg.specs import OutputTrust, TrustFeature
from edgeseg.specs.trust import BORDER
from edgeseg.trust.tally import OutputCounts, features

_END = 50.0


NOTHING = "nothing-found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the network's output tells of its mask of one volume.

    Attributes:
        dice_expected: in (0, 1); None where nothing was found.
        look: whether a person should look at this one first.
        because: the feature that speaks against it, `NOTHING` where no tumour was found, empty where `look` is false.
        why: the same in plain words.
        low_factor: what the volume is multiplied by for the lower end of its interval; None where nothing was found.
        high_factor: likewise for the upper end.
    """

    dice_expected: float | None
    look: bool
    because: str
    why: str
    low_factor: float | None
    high_factor: float | None

    def interval(self, volume: float | None) -> tuple[float, float] | None:
        """Return the interval of a volume, in its unit; None where the volume is unknown or nothing was found."""
        if volume is None or self.low_factor is None or self.high_factor is None:
            return None
        return volume * self.low_factor, volume * self.high_factor


_NOTHING_TOLD = Verdict(
    dice_expected=None,
    look=True,
    because=NOTHING,
    why="no tumour was found, and whether there is none the network's output cannot tell",
    low_factor=None,
    high_factor=None,
)


def judge(counts: OutputCounts, trust: OutputTrust) -> Verdict:
    """Tell what a volume's counts mean to a contract's numbers."""
    values = features(counts)
    if values is None:
        return _NOTHING_TOLD
    score = score_of(values, trust)
    expected = 1.0 / (1.0 + math.exp(-min(max(score, -_END), _END)))
    apart = 1.0 - expected
    look = score < math.log(trust.look_below / (1.0 - trust.look_below))
    worst = min(trust.features, key=lambda one: one.weight * (values[one.name] - one.typical))
    return Verdict(
        dice_expected=expected,
        look=look,
        because=worst.name if look else "",
        why=_why(worst, values[worst.name]) if look else "",
        low_factor=max(0.0, 1.0 - trust.volume_low * apart),
        high_factor=1.0 + trust.volume_high * apart,
    )


def joined(verdicts: Iterable[tuple[str, Verdict | None]]) -> Verdict | None:
    """Tell of a patient what the verdicts on several masks say together.

    Args:
        verdicts: of each mask its name and what is told of it, None where nothing is.

    Returns:
        One verdict without an interval, whose `why` names the mask; None where nothing is told of any.
    """
    told = [(name, one) for name, one in verdicts if one is not None]
    found = [(name, one, one.dice_expected) for name, one in told if one.dice_expected is not None]
    if not found:
        return _NOTHING_TOLD if told else None
    mean = sum(dice for _, _, dice in found) / len(found)
    name, worst, _ = min((one for one in found if one[1].look), key=lambda one: one[2], default=("", None, 0.0))
    return Verdict(
        dice_expected=mean,
        look=worst is not None,
        because="" if worst is None else worst.because,
        why="" if worst is None else f"{name}: {worst.why}",
        low_factor=None,
        high_factor=None,
    )


def score_of(values: dict[str, float], trust: OutputTrust) -> float:
    """Return the logit of the expected Dice, not cut off."""
    score = trust.intercept
    for one in trust.features:
        score = score + one.weight * (values[one.name] - one.typical)
    return score


def _why(worst: TrustFeature, value: float) -> str:
    if worst.name == BORDER:
        wide, usual = math.exp(value), math.exp(worst.typical)
        return f"the border is unsure: it is {wide:.1f} pixels wide ({usual:.1f} is usual)"
    return f"neighbouring slices agree by {value:.0%} alone ({worst.typical:.0%} is usual)"
