"""A look at some slices before the work: whether sequences belong together, and whether FLAIR shows the whole head."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from edgeseg.data.belong import TISSUE_GREY, Heads
from edgeseg.data.sequence import Sequence

_PROBES, _TOP_SHARE, _MIN_EXTENT_MM, _FURTHER_MM = 8, 0.6, 80.0, 15.0


def look(
    sequences: Mapping[str, Sequence],
    grey: Callable[[str, int], NDArray[np.uint8]],
    pixel_mm: tuple[float, float] | None,
) -> tuple[str, ...]:
    """Look at eight slices of FLAIR's grid, and say what is odd, one sentence each.

    Args:
        sequences: by their names, FLAIR among them.
        grey: gives a sequence's slice on FLAIR's grid, `(h, w) uint8`.
        pixel_mm: distances of FLAIR's rows and columns, where known.
    """
    flair = sequences["flair"]
    heads, same, areas = Heads(sequences), set(sequences) - {"flair"}, []
    for index in np.unique(np.linspace(0, flair.shape[0] - 1, _PROBES).astype(int)).tolist():
        planes = {name: grey(name, index) for name in sequences}
        heads.add(planes)
        same -= {name for name in same if not np.array_equal(planes[name], planes["flair"])}
        areas.append(int(np.count_nonzero(planes["flair"] > TISSUE_GREY)))
    warned = [
        f"'{name}' and 'flair' hold the same values: one sequence seems to be given twice" for name in sorted(same)
    ]
    return (*(warned if any(areas) else ()), *heads.warnings(pixel_mm), *_cut_off(sequences, areas))


def _cut_off(sequences: Mapping[str, Sequence], areas: list[int]) -> list[str]:
    """Say where FLAIR seems to end before the head does."""
    warned, flair = [], sequences["flair"]
    if len(areas) > 1 and areas[-1] > _TOP_SHARE * max(areas):
        warned.append(
            "the uppermost slice of FLAIR shows about as much of the head as any other: slices seem to be missing above"
        )
    if flair.grid is not None and flair.shape[0] == 1:
        warned.append("FLAIR is one slice, so there is no volume: others seem to be missing")
    if flair.grid is None or flair.shape[0] == 1:
        return warned
    height = flair.grid.extent[0] * flair.grid.spacing_mm[0]
    if height < _MIN_EXTENT_MM:
        warned.append(
            f"FLAIR covers {height:.0f} mm from feet to head, and a brain is higher: slices seem to be missing"
        )
    for name, sequence in sequences.items():
        further = 0.0 if sequence.grid is None else sequence.grid.top_mm - flair.grid.top_mm
        if further > _FURTHER_MM:
            warned.append(
                f"'{name}' reaches {further:.0f} mm further up than FLAIR: slices of FLAIR seem to be missing"
            )
    return warned
