"""Golden vectors of what a runner tells of its mask: logits, counts, features, and what they mean, by number."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeseg.results.golden_vectors import RegionTrustVector, TrustVector
from edgeseg.specs import OutputTrust, TrustFeature
from edgeseg.specs.trust import BORDER, NEIGHBOURS
from edgeseg.trust import OutputTally, Verdict, features, joined, judge

_SIZE = 12
_STEP = 1 / 16
"""Logits are multiples of this, so that JSON and float32 hold them exactly."""
TYPICAL = OutputTrust(
    low=0.3,
    middle=0.5,
    high=0.85,
    intercept=1.9,
    features=(
        TrustFeature(name=BORDER, weight=-1.75, typical=0.57),
        TrustFeature(name=NEIGHBOURS, weight=0.75, typical=0.77),
    ),
    look_below=0.7,
    volume_low=2.2,
    volume_high=1.1,
    coverage=0.9,
    slope=0.4,
    offset=-0.6,
    threshold=0.6,
    patients=88,
    groups=5,
    network="alphax-0.125-half",
    data="kaggle-lgg",
)
"""Numbers as they are fitted; of nobody."""


def trust_vectors() -> tuple[TrustVector, ...]:
    """Make the vectors: sure and unsure masks, one slice alone, none at all, and logits on the very levels."""
    sure, unsure = _discs(steepness=4.0), _discs(steepness=0.8)
    single = replace(TYPICAL, features=tuple(one for one in TYPICAL.features if one.name == BORDER))
    return (
        _vector(sure, TYPICAL),
        _vector(unsure, TYPICAL),
        _vector(unsure, single),
        _vector(unsure[1:2], TYPICAL),
        _vector(np.concatenate([sure[:1], np.full_like(sure[:1], -8.0), sure[2:]]), TYPICAL),
        _vector(np.full((2, _SIZE, _SIZE), -2.0, np.float32), TYPICAL),
        _vector(_on_levels(), TYPICAL),
        _vector(_discs(steepness=0.4), TYPICAL),
    )


def region_trust_vectors(of: tuple[TrustVector, ...]) -> tuple[RegionTrustVector, ...]:
    """Join the vectors to what patients with several masks are told: sure, unsure, nothing found, nothing measured."""
    told = [_verdict(_array(one), one.trust) for one in of]
    sure = next(place for place, one in enumerate(told) if not one.look)
    unsure = [place for place, one in enumerate(told) if one.look and one.dice_expected is not None]
    nothing = next(place for place, one in enumerate(told) if one.dice_expected is None)
    sets: tuple[tuple[int | None, ...], ...] = (
        (sure, sure),
        (sure, unsure[0], unsure[1]),
        (unsure[1], unsure[0], sure),
        (unsure[0], unsure[0]),
        (sure, nothing),
        (nothing, nothing),
        (sure, None),
        (None, None),
    )
    return tuple(_region_vector(masks, told) for masks in sets)


def _region_vector(masks: tuple[int | None, ...], told: list[Verdict]) -> RegionTrustVector:
    names = tuple(f"mask {number}" for number in range(1, len(masks) + 1))
    whole = joined((name, None if at is None else told[at]) for name, at in zip(names, masks, strict=True))
    return RegionTrustVector(
        names=names,
        masks=masks,
        dice_expected=None if whole is None else whole.dice_expected,
        look=whole is not None and whole.look,
        because="" if whole is None else whole.because,
        why="" if whole is None else whole.why,
    )


def _array(vector: TrustVector) -> NDArray[np.float32]:
    return np.asarray(vector.slices, np.float32).reshape(-1, vector.height, vector.width)


def _verdict(logits: NDArray[np.float32], trust: OutputTrust) -> Verdict:
    tally = OutputTally(trust.levels)
    for one in logits:
        tally.add(one)
    return judge(tally.counts, trust)


def _vector(logits: NDArray[np.float32], trust: OutputTrust) -> TrustVector:
    tally = OutputTally(trust.levels)
    for one in logits:
        tally.add(one)
    told = judge(tally.counts, trust)
    return TrustVector(
        height=logits.shape[1],
        width=logits.shape[2],
        slices=tuple(tuple(float(value) for value in one.ravel()) for one in logits),
        trust=trust,
        counts=tally.counts.in_order,
        features=features(tally.counts) or {},
        dice_expected=told.dice_expected,
        look=told.look,
        because=told.because,
        low_factor=told.low_factor,
        high_factor=told.high_factor,
    )


def _discs(*, steepness: float) -> NDArray[np.float32]:
    """Three slices of a disc that moves and grows, its logits falling with the distance from its edge."""
    rows, columns = np.mgrid[0:_SIZE, 0:_SIZE].astype(np.float64)
    slices = [steepness * (2.5 + number - np.abs(rows - 5) - np.abs(columns - 4 - number)) for number in range(3)]
    return np.asarray(np.round(np.stack(slices) / _STEP) * _STEP, np.float32)


def _on_levels() -> NDArray[np.float32]:
    """Logits that are float32 of each level, which is not above it, and the next float32, which is."""
    drawn = np.full((1, _SIZE, _SIZE), -8.0, np.float32)
    for row, p in enumerate(TYPICAL.levels):
        level = np.float32(math.log(p / (1.0 - p)))
        drawn[0, 2 * row + 1, 1:5] = (level, np.nextafter(level, np.float32(9.0)), level, 4.0)
    return drawn
