"""From a volume's counts to what a reader is told of its input, in double precision, in the order of certainty.

1. No point of the head in any slice, or one value throughout: there is no signal, and nothing more is said.
2. A channel that has one value in every slice, where another has more: it holds nothing.
3. Two channels whose mean difference over all points is below `EQUAL_SHARE` of the deviation of the one that deviates
   less, over all points: `apart / (N * G * G) < EQUAL_SHARE * d`, d from the bytes of all points. They hold the same
   sequence. The first pair that does is told, in the order of `itertools.combinations`.
4. Else the signs of the contract. A feature is `min(max((value - typical) / spread, -EDGE), EDGE)`; a score begins with
   `bias` and adds `weight * feature` in the order given. The sign with the greatest score is told, the first of equals,
   where that is above 0.
"""

from __future__ import annotations

from itertools import combinations

from edgeseg.specs import InputLook, InputSign
from edgeseg.trust.input_features import input_features
from edgeseg.trust.input_tally import GRID, InputTally

EDGE = 5.0
EQUAL_SHARE = 0.06


def input_oddity(tally: InputTally, look: InputLook | None, channels: tuple[str, ...]) -> str:
    """Say what is odd about an input, in one sentence without an end; empty where nothing is.

    Args:
        tally: of the slices that were looked at.
        look: what the network learned from; None says only what needs no such numbers, as of lone slices.
        channels: their names, in the contract's order.
    """
    return certain(tally, channels) or ("" if look is None else _by_signs(tally, look, channels))


def certain(tally: InputTally, channels: tuple[str, ...]) -> str:
    """Say what needs no comparison with training data."""
    if not tally.shown.any():
        return ""
    for number, name in enumerate(channels):
        if not tally.shown[number]:
            return f"'{name}' holds one value throughout, so this sequence is missing"
    for one, other in combinations(range(len(channels)), 2):
        if same_sequence(tally, one, other):
            return f"'{channels[one]}' and '{channels[other]}' hold the same picture: one sequence stands for both"
    return ""


def same_sequence(tally: InputTally, one: int, other: int) -> bool:
    """Tell whether two channels hold the same picture."""
    points = tally.slices * GRID * GRID
    deviation = min(tally.deviation(one), tally.deviation(other))
    return bool(tally.apart[one, other] / points < EQUAL_SHARE * deviation)


def sign_scores(tally: InputTally, look: InputLook) -> tuple[float, ...]:
    """Return the score of each sign, above 0 where it is there; empty where no point is of the head."""
    found = input_features(tally)
    if found is None:
        return ()
    places = zip(look.features, look.typical, look.spread, strict=True)
    values = [min(max((found[at] - typical) / spread, -EDGE), EDGE) for at, typical, spread in places]
    return tuple(_score(sign, values) for sign in look.signs)


def _score(sign: InputSign, values: list[float]) -> float:
    score = sign.bias
    for place, weight in zip(sign.on, sign.weights, strict=True):
        score = score + weight * values[place]
    return score


def _by_signs(tally: InputTally, look: InputLook, channels: tuple[str, ...]) -> str:
    scores = sign_scores(tally, look)
    if not scores:
        return "nothing in it is brighter than background"
    greatest = max(scores)
    if greatest <= 0.0:
        return ""
    sign = look.signs[scores.index(greatest)]
    return SAID[sign.kind].format(*(f"'{channels[number]}'" for number in sign.channels))


SAID = {
    "swapped": "{0} and {1} look exchanged",
    "cycled": "the sequences look as if they were in another order",
    "apart": "the sequences do not seem to lie on each other",
    "upside-down": "the head looks upside down (front and back exchanged)",
    "turned": "the slices look turned by a quarter, or cut through another axis",
    "cut-out": "much around the brain looks cut away (skull-stripped, or masked)",
    "cut-off": "the head looks cut off by the picture's edge",
    "too-large": "the head looks too large for the picture",
    "too-small": "the head looks too small in the picture",
    "uneven-sides": "left and right look unevenly bright",
    "uneven-front": "the front looks too bright against the back",
    "uneven-back": "the back looks too bright against the front",
    "too-bright": "it looks too bright (the window is too narrow, or a gamma was applied)",
    "too-dark": "it looks too dark (the window is too wide, or a gamma was applied)",
    "blurred": "it looks blurred",
    "noisy": "it looks noisy",
    "inverted": "black and white look exchanged",
    "marked": "something white looks painted into the picture",
}
"""What a sign says, the names of its channels in place of {0} and {1}."""
