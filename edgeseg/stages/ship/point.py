"""The operating point at which a build scored a network, against the one that ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgeseg.checkpoint import Checkpoint
from edgeseg.errors import OptionError
from edgeseg.results import Choice, EvalResult, TrustResult
from edgeseg.specs import ClassPoint, MaskRegion, OperatingPoint
from edgeseg.stages.choose import choice_beside, read_choice
from edgeseg.stages.predict import checkpoint_contract
from edgeseg.stages.trust import left_out, trust_beside, trust_for, trusted


def point_of(evaluation: EvalResult) -> OperatingPoint:
    """Return the point that scores were taken at, of several masks with that of each."""
    return OperatingPoint(
        threshold=evaluation.threshold,
        post_processing=evaluation.post_processing,
        classes=tuple(
            ClassPoint(name=one.name, threshold=one.threshold, post_processing=one.post_processing)
            for one in evaluation.classes
        ),
        passes=evaluation.passes,
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
    if found.passes != point.passes:
        return False
    given = point.classes or tuple(
        ClassPoint(name=one.name, threshold=one.threshold, post_processing=one.post_processing) for one in regions
    )
    return sorted(found.classes, key=_name) == sorted(given, key=_name)


def describe(point: OperatingPoint) -> str:
    """Write a point out, class by class where there are several."""
    parts = [(f"{one.name}: ", one.threshold, one.post_processing) for one in point.classes]
    said = "; ".join(
        f"{name}threshold {threshold:g} with post-processing {rule.describe(volume=True)}"
        for name, threshold, rule in parts or [("", point.threshold, point.post_processing)]
    )
    return said if point.passes == 1 else f"{said}, in {point.passes} passes"


def choice_to_ship(given: Path | None, run: Path, slug: str, evaluation: EvalResult) -> Choice | None:
    """Read the choice that was given, or the one in the run's folder where the build was scored at it."""
    if given is not None:
        return read_choice(given, variant=slug)
    beside = choice_beside(run)
    found = None if beside is None else read_choice(beside, variant=slug)
    return found if found is not None and scored_at(evaluation, found.chosen, ()) else None


def trust_to_ship(
    run: Path, checkpoint: Checkpoint, weights_sha256: str, point: OperatingPoint, *, asked: bool
) -> TrustResult | None:
    """Read what tells how far masks are to be trusted; None where there is nothing, or what there is, is left out.

    As in a build that is so where it was found at another point, and this one was asked for or is a fold's by itself.

    Raises:
        OptionError: when it was found at another point otherwise, or cannot be read.
    """
    contract = point.applied(checkpoint_contract(checkpoint.header, public_ids=True))
    trusted(run, contract, weights_sha256=weights_sha256, chosen=asked or trust_beside(run) is None)
    if left_out(run, contract, weights_sha256=weights_sha256) is not None:
        return None
    return trust_for(run, weights_sha256=weights_sha256)


def check_point(evaluation: EvalResult, point: OperatingPoint, regions: tuple[MaskRegion, ...]) -> None:
    """Refuse scores that were not taken at the operating point that ships, with the `regions` as they were before.

    Raises:
        OptionError: naming both.
    """
    if not scored_at(evaluation, point, regions):
        raise OptionError(
            f"the build scored at {describe(point_of(evaluation))}, and what ships is {describe(point)}; give --choice "
            "to both 'edgeseg build' and 'edgeseg ship', or to neither"
        )


def _name(point: ClassPoint) -> str:
    return point.name
