"""Where the slices of a series lie along their normal: their order, what is missing, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.dicom.frames import Frame
from edgeseg.errors import DatasetError

_SAME_SHARE, _USUAL_SHARE, _GAP_SHARE, _UNEVEN_SHARE, _CLAIM_SHARE = 0.05, 1.25, 1.5, 0.1, 1.5
_ASIDE_SHARE = 0.5
_TOLD = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Frames in the order of their places, towards the head where they are axial.

    Attributes:
        frames: all of them.
        step_mm: `(3,) float64`, LPS mm from one slice to the next.
        steps: multiples of `step_mm` from the first slice to each; None where they are 0, 1, 2 ...
        warnings: what is missing or uneven.
    """

    frames: tuple[Frame, ...]
    step_mm: NDArray[np.float64]
    steps: NDArray[np.float64] | None
    warnings: tuple[str, ...]


def stacked(frames: list[Frame], name: str) -> Stack:
    """Sort parallel frames by place.

    Raises:
        DatasetError: when two lie at one place.
    """
    first = frames[0]
    normal = np.cross(first.orientation[:3], first.orientation[3:])
    if normal[int(np.abs(normal).argmax())] < 0:
        normal = -normal
    places = np.array([frame.position for frame in frames]) @ normal
    order = np.argsort(places, kind="stable")
    ordered, places = tuple(frames[index] for index in order), places[order]
    numbers = _missing_numbers(ordered)
    if len(ordered) == 1:
        return Stack(frames=ordered, step_mm=normal * first.thickness_mm, steps=None, warnings=numbers)
    gaps = np.diff(places)
    _require_apart(ordered, gaps, name)
    usual = float(np.median(gaps[gaps <= _USUAL_SHARE * gaps.min()]))
    warned = (*_gaps(gaps, usual), *_claims(usual, first), *numbers, *_aside(ordered, places))
    way = np.array(ordered[-1].position) - np.array(ordered[0].position)
    if gaps.max() - gaps.min() <= _UNEVEN_SHARE * usual:
        return Stack(frames=ordered, step_mm=way / (len(ordered) - 1), steps=None, warnings=warned)
    step = way * (usual / (places[-1] - places[0]))
    return Stack(frames=ordered, step_mm=step, steps=(places - places[0]) / usual, warnings=warned)


def _require_apart(frames: tuple[Frame, ...], gaps: NDArray[np.float64], name: str) -> None:
    usual = float(np.median(gaps))
    if np.isfinite(gaps).all() and gaps.min() > _SAME_SHARE * max(usual, 1e-3):
        return
    place = int(np.argmin(gaps))
    paths = [frame.path for frame in frames[place : place + 2]]
    one, other = (path.name if paths[0].name != paths[1].name else f"{path.parent.name}/{path.name}" for path in paths)
    raise DatasetError(
        f"{name} has two slices at one place ({one} and {other}): a file was copied twice, or it holds several echoes "
        "or times; leave one of each"
    )


def _gaps(gaps: NDArray[np.float64], usual: float) -> tuple[str, ...]:
    holes = np.flatnonzero(gaps > _GAP_SHARE * usual)
    if len(holes):
        told = ", ".join(f"{int(place) + 1} and {int(place) + 2} ({gaps[place]:.1f} mm)" for place in holes[:_TOLD])
        more = f" and {len(holes) - _TOLD} more" if len(holes) > _TOLD else ""
        lost = int(np.rint(gaps[holes] / usual - 1).sum())
        return (
            f"slices are missing, about {lost}: there are holes between slices {told}{more}, the others lie "
            f"{usual:.1f} mm apart; the volume counts what is there alone",
        )
    if gaps.max() - gaps.min() > _UNEVEN_SHARE * usual:
        return (f"the distance between slices varies from {gaps.min():.2f} to {gaps.max():.2f} mm",)
    return ()


def _claims(usual: float, frame: Frame) -> tuple[str, ...]:
    if frame.least_mm is not None and usual * _CLAIM_SHARE < frame.least_mm:
        return (
            f"slices lie {usual:.1f} mm apart, and the headers say {frame.least_mm:.1f} mm: two acquisitions seem to "
            "be mixed",
        )
    if frame.spacing_mm is None or usual <= _CLAIM_SHARE * frame.spacing_mm:
        return ()
    return (
        f"slices seem to be missing: they lie {usual:.1f} mm apart, and the headers say a spacing of "
        f"{frame.spacing_mm:.1f} mm",
    )


def _aside(frames: tuple[Frame, ...], places: NDArray[np.float64]) -> tuple[str, ...]:
    """Say which slice lies furthest from the line through the first and the last; half a pixel is not told."""
    positions = np.array([frame.position for frame in frames])
    share = (places - places[0]) / (places[-1] - places[0])
    apart = np.linalg.norm(positions - positions[0] - share[:, np.newaxis] * (positions[-1] - positions[0]), axis=1)
    worst = int(apart.argmax())
    if apart[worst] <= _ASIDE_SHARE * min(frames[0].pixel_mm):
        return ()
    return (f"slices do not lie in one line: slice {worst + 1} lies {apart[worst]:.1f} mm aside of the others",)


def _missing_numbers(frames: tuple[Frame, ...]) -> tuple[str, ...]:
    """Say which numbers of the series are not there; nothing where the numbers do not count the slices."""
    numbers = sorted(frame.instance for frame in frames if frame.instance is not None)
    if len(numbers) < len(frames) or len(set(numbers)) < len(numbers) or numbers[0] < 0:
        return ()
    if numbers[-1] > 4 * len(numbers) + 4:
        return ()
    missing = sorted(set(range(1, numbers[-1])) - set(numbers))
    if not missing:
        return ()
    told = ", ".join(map(str, missing[:_TOLD])) + (f" and {len(missing) - _TOLD} more" if len(missing) > _TOLD else "")
    return (f"slices seem to be missing: there is none with the instance number {told}",)
