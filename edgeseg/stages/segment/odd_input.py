"""What a reader is told of an input that is unlike those that the network learned from."""

from __future__ import annotations

from dataclasses import dataclass

from edgeseg.data.look import SAME_VALUES
from edgeseg.data.scan import STANDS_IN
from edgeseg.trust import COPIED, MISSING, Oddity

_ONE_VALUE, _EQUAL = "holds one value", "in every slice: the sequence seems to be missing"
_KNOWN = {COPIED: (SAME_VALUES, STANDS_IN, _EQUAL), MISSING: (_ONE_VALUE,)}
"""What warnings about the files say of the same."""
_MEANS = {
    COPIED: "one sequence seems to be given twice; give the one that is missing where you have it",
    MISSING: "the sequence is missing; give it, and do not rely on the mask without it",
}
_UNLIKE = "it is unlike what the network learned from, so look at the input first, and do not rely on the mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class OddInput:
    """What is odd: `kind` as in `edgeseg.trust.Oddity`, and `told`, the sentence for a reader."""

    kind: str
    told: str


def odd_input(found: Oddity | None, warnings: tuple[str, ...]) -> OddInput | None:
    """Put what was found into a sentence; None where nothing was, or warnings about the files say it already."""
    if found is None or any(phrase in warning for phrase in _KNOWN.get(found.kind, ()) for warning in warnings):
        return None
    return OddInput(kind=found.kind, told=f"the input looks odd: {found.what}; {_MEANS.get(found.kind, _UNLIKE)}")
