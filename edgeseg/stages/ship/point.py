"""The operating point at which a build scored a network, against the one that ships."""

from __future__ import annotations

from collections.abc import Sequence

from edgeseg.results import EvalResult
from edgeseg.specs import ClassPoint, MaskRegion, OperatingPoint


def point_of(evaluation: EvalResult) -> OperatingPoint:
    """Return the point that scores were taken at, of several masks with that of each."""
    return OperatingPoint(
        threshold=evaluation.threshold,
        post_processing=evaluation.post_processing,
        classes=tuple(
            ClassPoint(name=one.name, threshold=one.threshold, post_processing=one.post_processing)
            for one in evaluation.classes
        ),
    )


def scored_at(evaluation: EvalResult, point: OperatingPoint, regions: Sequence[MaskRegion]) -> bool:
    """Say whether scores were taken at a point.

    Args:
        evaluation: the scores.
        point: of several masks that of each counts.
        regions: what they were before any choice, where the point says nothing of them.
    """
    found = point_of(evaluation)
    if not found.classes:
        return found == point
    given = point.classes or tuple(
        ClassPoint(name=one.name, threshold=one.threshold, post_processing=one.post_processing) for one in regions
    )
    return sorted(found.classes, key=_name) == sorted(given, key=_name)


def describe(point: OperatingPoint) -> str:
    """Write a point out, class by class where there are several."""
    parts = [(f"{one.name}: ", one.threshold, one.post_processing) for one in point.classes]
    return "; ".join(
        f"{name}threshold {threshold:g} with post-processing {rule.describe(volume=True)}"
        for name, threshold, rule in parts or [("", point.threshold, point.post_processing)]
    )


def _name(point: ClassPoint) -> str:
    return point.name
