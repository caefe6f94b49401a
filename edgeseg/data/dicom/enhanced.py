"""What tells which sequence it is, from a header of either kind: plain attributes, or the groups of enhanced MR.

An enhanced file keeps its times in functional groups, shared by its frames or one for each; the first frame speaks for
all, but for diffusion, where any weighted frame counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

_PLAIN = {"echo": "EchoTime", "repetition": "RepetitionTime", "inversion": "InversionTime"}
_GROUPED = {
    "echo": ("MREchoSequence", "EffectiveEchoTime"),
    "repetition": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "inversion": ("MRModifierSequence", "InversionTimes"),
}
_PULSES = {"SPIN": ("SE",), "GRADIENT": ("GR",), "BOTH": ("SE", "GR")}


def milliseconds(header: Any, which: str) -> float | None:
    """Find the time of `echo`, `repetition` or `inversion`; of several the first; None where unknown."""
    plain = number(header.get(_PLAIN[which]))
    if plain is not None:
        return plain
    group, name = _GROUPED[which]
    found = (number(one.get(name)) for one in _groups(header, group))
    return next((value for value in found if value is not None), None)


def b_value(header: Any) -> float:
    """Find the largest diffusion weighting in s/mm2; 0 where there is none."""
    grouped = [number(one.get("DiffusionBValue")) for one in _groups(header, "MRDiffusionSequence")]
    return max((value or 0.0 for value in (number(header.get("DiffusionBValue")), *grouped)), default=0.0)


def pulses(header: Any) -> tuple[str, ...]:
    """Translate what an enhanced header says of its echoes into the words of `ScanningSequence`."""
    return _PULSES.get(str(header.get("EchoPulseSequence") or "").upper(), ())


def agent_given(header: Any) -> bool:
    """Whether an enhanced header names a contrast agent, and none of its frames says that it was not given."""
    if not header.get("ContrastBolusAgentSequence"):
        return False
    usages = [
        str(use.get("ContrastBolusAgentAdministered") or "YES").upper()
        for use in _groups(header, "ContrastBolusUsageSequence")
    ]
    return not usages or "YES" in usages


def number(value: Any) -> float | None:
    """Read a number, or the first of several; None for what is none."""
    if not isinstance(value, (str, bytes, int, float)) and hasattr(value, "__len__"):
        value = value[0] if len(value) else None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _groups(header: Any, name: str) -> Iterator[Any]:
    """Give the items of a functional group: the shared one first, then those of frames."""
    for whose in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for frame in header.get(whose) or ():
            yield from frame.get(name) or ()
