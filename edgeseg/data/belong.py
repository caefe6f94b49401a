"""Whether sequences are of one patient and one visit: by what their files say, and by the heads that they show."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.origin import Origin
from edgeseg.errors import DatasetError

TISSUE_GREY = 15
"""A pixel above it is no background, in the 8-bit range of the training data."""
_EDGE_SHARE, _SIZE_SHARE, _AWAY_SHARE = 0.02, 0.15, 0.1
_MIN_TISSUE_SHARE, _MIN_SLICES = 0.02, 5
Box = NDArray[np.float64]


def compare_origins(
    origins: Mapping[str, Origin], sources: Mapping[str, str], *, same_patient: bool = False
) -> tuple[str, ...]:
    """Compare where sequences come from, each with the first.

    Args:
        origins: by the sequences' names; the first is the one on whose grid masks are.
        sources: what each was read from, for messages.
        same_patient: whether the user says that they are of one patient, whatever their ids are.

    Returns:
        What is odd, one sentence each.

    Raises:
        DatasetError: when they are of different patients by their ids, or by their names where there are no ids.
    """
    (first, ours), *others = origins.items()
    warned: list[str] = []
    for name, theirs in others:
        both = f"'{name}' and '{first}'"
        ids = (ours.patient, theirs.patient)
        if _differ(*ids) or (ids == (None, None) and _differ(ours.person, theirs.person)):
            by = "PatientID" if all(ids) else "name and date of birth"
            if not same_patient:
                raise DatasetError(
                    f"{sources[name]} ('{name}') and {sources[first]} ('{first}') are of different patients by their "
                    f"headers ({by}); give sequences of one patient, or add --same-patient where you know that they are"
                )
            warned.append(
                f"{both} are of different patients by their headers ({by}) and of one, as --same-patient says"
            )
        elif _differ(ours.person, theirs.person):
            warned.append(f"{both} have one patient's number, but name, date of birth or sex differ")
        if (ours.patient is None) != (theirs.patient is None):
            warned.append(f"of {both} only one says whose it is; make sure that both are of one patient")
        if _differ(ours.study, theirs.study):
            apart = 0 if ours.day is None or theirs.day is None else abs((ours.day - theirs.day).days)
            days = f", {apart} days apart" if apart else ""
            warned.append(f"{both} are of different studies{days}; a tumour may have changed between them")
        elif ours.day and theirs.day and ours.day != theirs.day:
            warned.append(f"{both} are of different days, {abs((ours.day - theirs.day).days)} apart")
        if _differ(ours.frame, theirs.frame):
            warned.append(f"{both} have different frames of reference, so their positions may not match; register them")
        warned += _by_names_and_space(both, ours, theirs)
    return tuple(warned)


def _by_names_and_space(both: str, ours: Origin, theirs: Origin) -> list[str]:
    found = []
    if _differ(ours.label, theirs.label):
        found.append(f"{both} are named after different patients ('{theirs.label}' and '{ours.label}')")
    if _differ(ours.visit, theirs.visit):
        found.append(f"{both} are of different visits by their names ('{theirs.visit}' and '{ours.visit}')")
    if _differ(ours.space, theirs.space):
        found.append(
            f"{both} lie in different spaces by their headers ({theirs.space} and {ours.space}); register them"
        )
    return found


def _differ(one: object, other: object) -> bool:
    return one is not None and other is not None and one != other


class Heads:
    """Compares the heads that channels show, slice by slice; may be fed from several threads."""

    def __init__(self, names: Iterable[str], reference: str) -> None:
        """Name the channels; each is compared with `reference`."""
        self._names, self._reference, self._lock = tuple(names), reference, threading.Lock()
        self._boxes: dict[str, list[tuple[Box, Box]]] = {name: [] for name in self._names}

    def add(self, planes: Mapping[str, NDArray[np.uint8]]) -> None:
        """Take one slice, `(h, w) uint8` for each channel; those that show too little do not count."""
        ours = head_box(planes[self._reference])
        found = {name: head_box(plane) for name, plane in planes.items() if name != self._reference}
        with self._lock:
            for name, theirs in found.items():
                if ours is not None and theirs is not None:
                    self._boxes[name].append((ours, theirs))

    def warnings(self, pixel_mm: tuple[float, float] | None) -> tuple[str, ...]:
        """Say where heads differ in size or place, by the median of five slices and more; of fewer it says little."""
        warned = []
        unit, scale = ("pixels", (1.0, 1.0)) if pixel_mm is None else ("mm", pixel_mm)
        for name, boxes in self._boxes.items():
            if len(boxes) < _MIN_SLICES:
                continue
            ours, theirs = (
                np.median([pair[i] for pair in boxes], axis=0).reshape(2, 2) * np.array(scale)[:, None] for i in (0, 1)
            )
            sizes, others = (box[:, 1] - box[:, 0] for box in (ours, theirs))
            away = float(np.hypot(*(theirs.mean(axis=1) - ours.mean(axis=1))))
            if (np.abs(others / sizes - 1) > _SIZE_SHARE).any():
                told = [f"{size[0]:.0f} x {size[1]:.0f}" for size in (others, sizes)]
                warned.append(
                    f"the head in '{name}' is {told[0]} {unit} and in '{self._reference}' {told[1]}: make sure that "
                    "both are of one patient"
                )
            elif away > _AWAY_SHARE * sizes.max():
                warned.append(
                    f"the head in '{name}' lies {away:.0f} {unit} from that in '{self._reference}': make sure that "
                    "both are of one patient, and register them"
                )
        return tuple(warned)


def head_box(grey: NDArray[np.uint8]) -> Box | None:
    """Find first and last row, first and last column of tissue, `(4,) float64`; 2 % at each side do not count.

    None where less than 2 % of the slice is tissue.
    """
    tissue = grey > TISSUE_GREY
    total = int(np.count_nonzero(tissue))
    if total < _MIN_TISSUE_SHARE * tissue.size:
        return None
    ends = []
    for axis in (1, 0):
        passed = np.cumsum(np.count_nonzero(tissue, axis=axis)) / total
        ends += [int(np.searchsorted(passed, _EDGE_SHARE)), int(np.searchsorted(passed, 1 - _EDGE_SHARE)) + 1]
    return np.array(ends, np.float64)
