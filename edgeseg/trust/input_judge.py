"""From a volume's counts to what a reader is told of its input, in double precision, in the order of certainty.

1. One value throughout, in all channels: there is no signal, which `edgeseg.stages.segment.doubts` says; no more
   here.
2. A channel that has one value throughout, where another has more: it holds nothing (`missing`).
3. Two channels whose difference over all points is small against how much they deviate and against what they show:
   `apart < EQUAL_SHARE * min(d1, d2) * N * G * G`, d from the bytes of all points, and `apart < EQUAL_SHARE * min(S1,
   S2)`, S the sum of the bytes of all points. They hold the same picture (`copied`). The first pair that does is
   told, in the order of `itertools.combinations`.
4. Else, of volumes alone, the signs of the contract; no point of the head in any slice is `empty`. A feature is
   `min(max((value - typical) / spread, -EDGE), EDGE)`; a score begins with `bias` and adds `weight * feature` in the
   order given. A sign is there where its score is above 0; of those that are, the one whose score is nearest to 1 is
   told, the first of equals.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from edgeseg.specs import InputLook, InputSign
from edgeseg.trust.input_features import input_features
from edgeseg.trust.input_tally import GRID, InputTally

EDGE = 5.0
EQUAL_SHARE = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """What is odd about an input.

    Attributes:
        kind: one of `edgeseg.specs.INPUT_SIGNS`, or `missing`, `copied` or `empty`.
        channels: names of the channels that are meant, where some are.
        what: a clause that says it.
    """

    kind: str
    channels: tuple[str, ...]
    what: str


MISSING, COPIED, EMPTY = "missing", "copied", "empty"


def input_oddity(tally: InputTally, look: InputLook | None, channels: tuple[str, ...]) -> Oddity | None:
    """Say what is odd about an input; None where nothing is.

    Args:
        tally: of the slices that were looked at.
        look: what the network learned from; None says only what needs no such numbers, as of lone slices.
        channels: their names, in the contract's order.
    """
    return certain(tally, channels) or (None if look is None or not tally.shown.any() else _sign(tally, look, channels))


def certain(tally: InputTally, channels: tuple[str, ...]) -> Oddity | None:
    """Say what needs no comparison with training data."""
    if not tally.shown.any():
        return None
    for number, name in enumerate(channels):
        if not tally.shown[number]:
            return Oddity(kind=MISSING, channels=(name,), what=f"'{name}' holds one value throughout")
    for one, other in combinations(range(len(channels)), 2):
        if same_sequence(tally, one, other):
            both = channels[one], channels[other]
            return Oddity(kind=COPIED, channels=both, what=f"'{both[0]}' and '{both[1]}' hold the same picture")
    return None


def same_sequence(tally: InputTally, one: int, other: int) -> bool:
    """Tell whether two channels hold the same picture."""
    points, apart = tally.slices * GRID * GRID, int(tally.apart[one, other])
    deviation = min(tally.deviation(one), tally.deviation(other))
    total = min(int(tally.everywhere[one, 0]), int(tally.everywhere[other, 0]))
    return apart < EQUAL_SHARE * deviation * points and apart < EQUAL_SHARE * total


def sign_scores(found: tuple[float, ...], look: InputLook) -> tuple[float, ...]:
    """Return the score of each sign, above 0 where it is there, from all features of a volume."""
    places = zip(look.features, look.typical, look.spread, strict=True)
    values = [min(max((found[at] - typical) / spread, -EDGE), EDGE) for at, typical, spread in places]
    return tuple(_score(sign, values) for sign in look.lines)


def _score(sign: InputSign, values: list[float]) -> float:
    score = sign.bias
    for place, weight in zip(sign.on, sign.weights, strict=True):
        score = score + weight * values[place]
    return score


def _sign(tally: InputTally, look: InputLook, channels: tuple[str, ...]) -> Oddity | None:
    found = input_features(tally)
    if found is None:
        return Oddity(kind=EMPTY, channels=(), what="nothing in it is brighter than background")
    scores = sign_scores(found, look)
    there = [at for at, score in enumerate(scores) if score > 0.0]
    if not there:
        return None
    sign = look.lines[min(there, key=lambda at: abs(scores[at] - 1.0))]
    names = tuple(channels[number] for number in sign.channels)
    return Oddity(kind=sign.kind, channels=names, what=SAID[sign.kind].format(*(f"'{name}'" for name in names)))


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
