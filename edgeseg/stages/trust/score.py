"""What fitted numbers are worth on patients that they were not fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray

from edgeseg.metrics import auroc, deferred, spearman
from edgeseg.metrics.reliability import calibration_error, reliability
from edgeseg.results import Deferral, Reliability, ReliabilityBin, TrustFigures, TrustPatient
from edgeseg.results.trust import POOR_BELOW
from edgeseg.specs import OutputTrust
from edgeseg.stages.trust.fit import PatientOutput
from edgeseg.trust import Verdict, features, joined, judge

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)

Fits = Callable[[PatientOutput], OutputTrust]
"""Gives for a patient the numbers that were fitted without the patient's group."""


def judged(rows: Sequence[PatientOutput], fits: Fits) -> tuple[TrustPatient, ...]:
    """Judge every patient."""
    return tuple(_patient(row, fits(row)) for row in rows)


def together(classes: Sequence[tuple[TrustPatient, ...]]) -> tuple[TrustPatient, ...]:
    """Judge every patient by what is told of several masks, as a runner does; `classes` has the rows of each mask."""
    of: dict[str, list[TrustPatient]] = {}
    for row in (row for rows in classes for row in rows):
        of.setdefault(row.patient, []).append(row)
    return tuple(_together(rows) for rows in of.values())


def _together(rows: Sequence[TrustPatient]) -> TrustPatient:
    told = joined(("", _verdict(row)) for row in rows)
    return replace(
        rows[0],
        dice=fmean(row.dice for row in rows),
        dice_expected=None if told is None else told.dice_expected,
        look=told is not None and told.look,
        volume_px=sum(row.volume_px for row in rows),
        reference_px=sum(row.reference_px for row in rows),
        volume_low_px=None,
        volume_high_px=None,
        features={},
    )


def _verdict(row: TrustPatient) -> Verdict:
    return Verdict(
        dice_expected=row.dice_expected, look=row.look, because="", why="", low_factor=None, high_factor=None
    )


def not_flagged_for_nothing(rows: Sequence[TrustPatient]) -> tuple[TrustPatient, ...]:
    """Take back the flag of masks in which nothing was found: a patient need not have every class."""
    return tuple(replace(row, look=False) if row.dice_expected is None else row for row in rows)


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


def pooled(whole: TrustFigures, classes: Sequence[TrustFigures]) -> TrustFigures:
    """Return the figures of patients with the intervals of their masks, counted mask by mask.

    Of several masks `volume_width_median` is the median of theirs.
    """
    widths = [one.volume_width_median for one in classes if one.volume_width_median is not None]
    return replace(
        whole,
        volume_intervals=sum(one.volume_intervals for one in classes),
        volume_covered=sum(one.volume_covered for one in classes),
        volume_width_median=median(widths) if widths else None,
    )


def reliabilities(parts: Sequence[tuple[Sequence[PatientOutput], Fits]]) -> Reliability:
    """Say whether probabilities mean what they say, as they are and scaled by what was fitted without the group.

    Args:
        parts: of one mask or of several.
    """
    before = reliability(_summed([row for rows, _ in parts for row in rows]))
    binned: dict[int, list[tuple[float, float, int]]] = {}
    for row, scale in ((row, fits(row)) for rows, fits in parts for row in rows):
        for found in reliability(row.histogram, slope=scale.slope, offset=scale.offset):
            binned.setdefault(min(int(found[0] * 10), 9), []).append(found)
    after = [_joined(binned[place]) for place in sorted(binned)]
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
