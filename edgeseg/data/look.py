"""A look at some slices before the work: whether sequences belong together, and whether one shows the whole head."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.belong import TISSUE_GREY, Heads
from edgeseg.data.sequence import Sequence

SAME_VALUES = "hold the same values"
"""What is said of sequences that are equal."""
_PROBES, _TOP_SHARE, _MIN_EXTENT_MM, _FURTHER_MM = 8, 0.6, 80.0, 15.0


def look(
    sequences: Mapping[str, Sequence],
    reference: str,
    grey: Callable[[str, int], NDArray[np.uint8]],
    pixel_mm: tuple[float, float] | None,
) -> tuple[str, ...]:
    """Look at eight slices of the reference's grid, and say what is odd, one sentence each.

    Args:
        sequences: by the names of their channels, the reference among them.
        reference: the channel on whose grid the masks are.
        grey: gives a sequence's slice on that grid, `(h, w) uint8`.
        pixel_mm: distances of its rows and columns, where known.
    """
    on = sequences[reference]
    heads, same, areas = Heads(sequences, reference), set(sequences) - {reference}, []
    for index in np.unique(np.linspace(0, on.shape[0] - 1, _PROBES).astype(int)).tolist():
        planes = {name: grey(name, index) for name in sequences}
        heads.add(planes)
        same -= {name for name in same if not np.array_equal(planes[name], planes[reference])}
        areas.append(int(np.count_nonzero(planes[reference] > TISSUE_GREY)))
    warned = [
        f"'{name}' and '{reference}' {SAME_VALUES}: one sequence seems to be given twice" for name in sorted(same)
    ]
    return (*(warned if any(areas) else ()), *heads.warnings(pixel_mm), *_cut_off(sequences, reference, areas))


def _cut_off(sequences: Mapping[str, Sequence], reference: str, areas: list[int]) -> list[str]:
    """Say where the reference seems to end before the head does."""
    warned, on, called = [], sequences[reference], f"'{reference}'"
    if len(areas) > 1 and areas[-1] > _TOP_SHARE * max(areas):
        warned.append(
            f"the uppermost slice of {called} shows about as much of the head as any other: slices seem to be missing "
            "above"
        )
    if on.grid is not None and on.shape[0] == 1:
        warned.append(f"{called} is one slice, so there is no volume: others seem to be missing")
    if on.grid is None or on.shape[0] == 1:
        return warned
    height = on.grid.extent[0] * on.grid.spacing_mm[0]
    if height < _MIN_EXTENT_MM:
        warned.append(
            f"{called} covers {height:.0f} mm from feet to head, and a brain is higher: slices seem to be missing"
        )
    for name, sequence in sequences.items():
        further = 0.0 if sequence.grid is None else sequence.grid.top_mm - on.grid.top_mm
        if further > _FURTHER_MM:
            warned.append(
                f"'{name}' reaches {further:.0f} mm further up than {called}: slices of {called} seem to be missing"
            )
    return warned
