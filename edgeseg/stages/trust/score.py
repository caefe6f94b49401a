"""What fitted numbers are worth on patients that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics import auroc, deferred, spearman
from edgeseg.metrics.reliability import calibration_error, reliability
from edgeseg.results import Deferral, Reliability, ReliabilityBin, TrustFigures, TrustPatient
from edgeseg.results.trust import POOR_BELOW
from edgeseg.specs import OutputTrust
from edgeseg.stages.trust.fit import PatientOutput
from edgeseg.trust import features, judge

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)

Fits = Callable[[PatientOutput], OutputTrust]
"""Gives for a patient the numbers that were fitted without the patient's group."""


def judged(rows: Sequence[PatientOutput], fits: Fits) -> tuple[TrustPatient, ...]:
    """Judge every patient."""
    return tuple(_patient(row, fits(row)) for row in rows)


def _patient(row: PatientOutput, trust: OutputTrust) -> TrustPatient:
    told, values = judge(row.counts, trust), features(row.counts) or {}
    low, high = told.interval(row.volume_px) or (None, None)
    return TrustPatient(
        patient=row.patient,
        group=row.group,
        dice=row.dice,
        dice_expected=told.dice_expected,
        look=told.look,
        volume_px=row.volume_px,
        reference_px=row.reference_px,
        volume_low_px=low,
        volume_high_px=high,
        features=values,
    )


def figures(patients: Sequence[TrustPatient]) -> TrustFigures:
    """Say how well what was expected of patients agrees with what they got."""
    dice = [one.dice for one in patients]
    expected = [0.0 if one.dice_expected is None else one.dice_expected for one in patients]
    good = [one >= POOR_BELOW for one in dice]
    ends = [(one, one.volume_low_px, one.volume_high_px) for one in patients if one.volume_px]
    known = [(one, low, high) for one, low, high in ends if low is not None and high is not None]
    widths = [(high - low) / one.volume_px for one, low, high in known]
    return TrustFigures(
        patients=len(patients),
        dice_mean=fmean(dice),
        poor=good.count(False),
        auroc_poor=auroc(expected, good),
        spearman=spearman(expected, dice),
        poor_flagged=sum(one.look for one, fine in zip(patients, good, strict=True) if not fine),
        good_flagged=sum(one.look for one, fine in zip(patients, good, strict=True) if fine),
        deferral=tuple(
            Deferral(deferred_share=share, kept=kept, dice_mean=mean)
            for share in SHARES
            for kept, mean in (deferred(expected, dice, share),)
        ),
        volume_intervals=len(known),
        volume_covered=sum(low <= one.reference_px <= high for one, low, high in known),
        volume_width_median=median(widths) if widths else None,
    )


def reliabilities(rows: Sequence[PatientOutput], fits: Fits) -> Reliability:
    """Say whether probabilities mean what they say, as they are and scaled by what was fitted without the group."""
    before = reliability(_summed(rows))
    joined: dict[int, list[tuple[float, float, int]]] = {}
    for row in rows:
        scale = fits(row)
        for found in reliability(row.histogram, slope=scale.slope, offset=scale.offset):
            joined.setdefault(min(int(found[0] * 10), 9), []).append(found)
    after = [_joined(joined[place]) for place in sorted(joined)]
    return Reliability(
        error_before=calibration_error(before),
        error_after=calibration_error(after),
        before=tuple(_bin(one) for one in before),
        after=tuple(_bin(one) for one in after),
    )


def _summed(rows: Sequence[PatientOutput]) -> NDArray[np.int64]:
    return np.asarray(np.sum([row.histogram for row in rows], axis=0), np.int64)


def _joined(parts: list[tuple[float, float, int]]) -> tuple[float, float, int]:
    pixels = sum(count for _, _, count in parts)
    return (
        sum(p * count for p, _, count in parts) / pixels,
        sum(share * count for _, share, count in parts) / pixels,
        pixels,
    )


def _bin(found: tuple[float, float, int]) -> ReliabilityBin:
    return ReliabilityBin(probability_mean=found[0], tumour_share=found[1], pixels=found[2])
