from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeseg.data.dicom.frames import Frame
from edgeseg.data.dicom.spacing import stacked
from edgeseg.data.grid import Grid
from edgeseg.errors import DatasetError

FRAME = Frame(
    path=Path("x.dcm"),
    number=0,
    position=(0.0, 0.0, 0.0),
    orientation=(1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    pixel_mm=(1.0, 1.0),
    thickness_mm=4.0,
    rows=8,
    columns=8,
    slope=1.0,
    intercept=0.0,
    inverted=False,
    spacing_mm=4.0,
)


def at(*places: float, numbers: tuple[int, ...] | None = None) -> list[Frame]:
    told = numbers or tuple(range(1, len(places) + 1))
    return [replace(FRAME, position=(0.0, 0.0, z), instance=n) for z, n in zip(places, told, strict=True)]


def test_even_slices_are_sorted_towards_the_head() -> None:
    stack = stacked(at(8, 0, 4, 12), "s")
    assert [frame.position[2] for frame in stack.frames] == [0, 4, 8, 12]
    np.testing.assert_allclose(stack.step_mm, (0, 0, 4))
    assert (stack.steps, stack.warnings) == (None, ())


def test_a_hole_keeps_every_slice_in_its_place() -> None:
    stack = stacked(at(0, 4, 8, 20, 24), "s")
    assert stack.steps is not None
    np.testing.assert_allclose(stack.steps, (0, 1, 2, 5, 6))
    np.testing.assert_allclose(stack.step_mm, (0, 0, 4))
    assert "about 2: there are holes between slices 3 and 4 (12.0 mm)" in stack.warnings[0]
    grid = Grid(shape=(5, 8, 8), affine=np.diag([4.0, 1.0, 1.0, 1.0]), steps=stack.steps)
    assert (grid.step(3), grid.extent[0]) == (5.0, 7.0)
    np.testing.assert_allclose(grid.index(np.array([2.0, 3.5, 5.0, 9.0])), (2, 2.5, 3, 4))


def test_headers_and_numbers_tell_of_missing_slices() -> None:
    assert "they lie 8.0 mm apart" in stacked(at(0, 8, 16), "s").warnings[0]
    assert "instance number 1, 2$" in stacked(at(0, 4, 8, numbers=(3, 4, 5)), "s").warnings[0] + "$"
    assert stacked(at(0, 4, 8, numbers=(501, 502, 503)), "s").warnings == ()
    assert "varies from 3.50 to 4.50 mm" in stacked(at(0, 4, 8.5, 12), "s").warnings[0]


def test_one_place_twice_is_refused() -> None:
    with pytest.raises(DatasetError, match="two slices at one place"):
        stacked(at(0, 4, 4, 8), "s")
