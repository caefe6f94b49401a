from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from edgeseg.errors import MissingExtraError
from edgeseg.metrics import count_lesions

SHAPE = (3, 4, 4)


def _slow_components(mask: np.ndarray) -> list[set[tuple[int, ...]]]:
    left = {tuple(v) for v in np.argwhere(mask).tolist()}
    components = []
    while left:
        front = [left.pop()]
        component = set(front)
        while front:
            voxel = front.pop()
            near = {v for v in left if max(abs(a - b) for a, b in zip(v, voxel, strict=True)) <= 1}
            left -= near
            component |= near
            front.extend(near)
        components.append(component)
    return components


@settings(deadline=None, max_examples=80)
@given(
    arrays(np.uint8, SHAPE).map(lambda a: a < 40),
    arrays(np.uint8, SHAPE).map(lambda a: a < 60),
)
def test_equals_flood_fill(prediction: np.ndarray, reference: np.ndarray) -> None:
    components = _slow_components(reference)
    predicted = {tuple(v) for v in np.argwhere(prediction).tolist()}
    count = count_lesions(prediction, reference)
    assert count.lesions == len(components)
    assert count.found == sum(bool(component & predicted) for component in components)


def test_a_corner_joins_and_a_gap_parts() -> None:
    reference = np.zeros((4, 4, 4), np.bool_)
    reference[0, 0, 0] = reference[1, 1, 1] = True
    reference[3, 3, 3] = True
    assert count_lesions(reference, reference).lesions == 2


def test_one_voxel_finds_a_lesion_and_touching_from_outside_does_not() -> None:
    reference = np.zeros((1, 4, 9), np.bool_)
    reference[0, :, :3] = True
    reference[0, :, 5:7] = True
    prediction = np.zeros_like(reference)
    prediction[0, 1, 2] = True
    prediction[0, :, 7:] = True
    count = count_lesions(prediction, reference)
    assert (count.lesions, count.found) == (2, 1)


def test_one_prediction_over_two_lesions_finds_both() -> None:
    reference = np.zeros((1, 1, 5), np.bool_)
    reference[0, 0, 0] = reference[0, 0, 4] = True
    assert count_lesions(np.ones_like(reference), reference).found == 2


def test_volumes_without_a_lesion() -> None:
    empty = np.zeros((2, 3, 3), np.bool_)
    assert count_lesions(~empty, empty).lesions == 0
    assert count_lesions(~empty, empty).found == 0


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    mask = np.ones((1, 2, 2), np.bool_)
    with pytest.raises(MissingExtraError, match=r"edgeseg\[build\]"):
        count_lesions(mask, mask)
