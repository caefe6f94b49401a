"""One contract for each kind of normalisation, and those that differ in whose pixels they count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edgeseg.specs import Contract, Intensity

MEAN, STD = (0.2, 0.3, 0.25), (0.21, 0.17, 0.3)
BUDA = Intensity(over="volume", together=True, low=10.0, high=99.0, then="z-score")
CASES: dict[str, dict[str, Any]] = {
    "unit": {},
    "slice": {"normalisation": "slice"},
    "bytes": {"scale": 1.0},
    "mean-std": {"normalisation": "mean-std", "intensity": Intensity(mean=MEAN, std=STD)},
    **{
        f"{kind} by {over}, {pixels}": {
            "normalisation": kind,
            "intensity": Intensity(over=over, pixels=pixels, low=low, high=high),
        }
        for kind, low, high in (("z-score", 0.0, 100.0), ("percentile", 1.0, 99.0))
        for over in ("slice", "volume")
        for pixels in ("all", "non-zero")
    },
    "buda": {"normalisation": "percentile", "intensity": BUDA},
    "all channels together": {
        "normalisation": "z-score",
        "intensity": Intensity(over="volume", together=True, pixels="non-zero", zero_stays=False),
    },
    "percentile, then mean-std": {
        "normalisation": "percentile",
        "intensity": Intensity(low=2.0, high=98.0, then="mean-std", mean=MEAN, std=STD),
    },
}
"""By name, what a contract says beside the rest."""


def normalised(contract: Contract, name: str) -> Contract:
    """Give a contract the normalisation of a case."""
    return replace(contract, **CASES[name]).versioned()
