from __future__ import annotations

import itertools
import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from edgeseg.errors import MissingExtraError
from edgeseg.metrics import hd95, surface, surface_distances

SHAPE = (3, 5, 4)
Voxel = tuple[int, ...]


def _slow_surface(mask: np.ndarray) -> list[Voxel]:
    voxels = {tuple(v) for v in np.argwhere(mask).tolist()}
    steps = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
    return [
        v for v in sorted(voxels) if any(tuple(a + b for a, b in zip(v, s, strict=True)) not in voxels for s in steps)
    ]


def _slow_hd95(a: np.ndarray, b: np.ndarray) -> float:
    ours, theirs = _slow_surface(a), _slow_surface(b)
    pool = [min(math.dist(v, w) for w in theirs) for v in ours] + [min(math.dist(v, w) for w in ours) for v in theirs]
    pool.sort()
    position = 0.95 * (len(pool) - 1)
    low = math.floor(position)
    high = min(low + 1, len(pool) - 1)
    return pool[low] + (position - low) * (pool[high] - pool[low])


def _ball(radius: float, shape: Voxel, centre: Voxel) -> np.ndarray:
    grid = np.indices(shape)
    return sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2  # type: ignore[no-any-return]


@settings(deadline=None, max_examples=80)
@given(arrays(np.bool_, SHAPE), arrays(np.bool_, SHAPE))
def test_hd95_equals_brute_force_and_is_symmetric(prediction: np.ndarray, reference: np.ndarray) -> None:
    value = hd95(prediction, reference)
    assert value == hd95(reference, prediction)
    if prediction.any() and reference.any():
        assert value is not None
        assert value == pytest.approx(_slow_hd95(prediction, reference))
        assert 0.0 <= value <= math.dist((0, 0, 0), SHAPE)
    elif prediction.any() or reference.any():
        assert value is None
    else:
        assert value == 0.0


@settings(deadline=None, max_examples=40)
@given(arrays(np.bool_, SHAPE))
def test_surface_equals_brute_force(mask: np.ndarray) -> None:
    assert [tuple(v) for v in np.argwhere(surface(mask)).tolist()] == _slow_surface(mask)


def test_surface_of_a_cube_is_its_shell() -> None:
    mask = np.zeros((7, 7, 7), np.bool_)
    mask[1:6, 1:6, 1:6] = True
    assert np.count_nonzero(surface(mask)) == 5**3 - 3**3


def test_what_lies_beyond_the_volume_is_outside() -> None:
    assert np.count_nonzero(surface(np.ones((3, 3, 3), np.bool_))) == 26
    assert surface(np.ones((1, 4, 4), np.bool_)).all()


def test_surface_leaves_its_input_alone() -> None:
    mask = np.ones((4, 4, 4), np.bool_)
    surface(mask)
    assert mask.all()


@pytest.mark.parametrize(("step", "expected"), [((0, 0, 3), 3.0), ((2, 0, 0), 2.0), ((1, 2, 2), 3.0)])
def test_two_voxels_are_as_far_apart_as_they_are_in_3d(step: Voxel, expected: float) -> None:
    prediction, reference = np.zeros((4, 6, 6), np.bool_), np.zeros((4, 6, 6), np.bool_)
    reference[1, 2, 2] = True
    prediction[1 + step[0], 2 + step[1], 2 + step[2]] = True
    assert hd95(prediction, reference) == pytest.approx(expected)


def test_equal_masks_are_at_distance_zero() -> None:
    ball = _ball(4, (9, 12, 12), (4, 5, 6))
    assert hd95(ball, ball) == 0.0


def test_the_percentile_ignores_a_rare_stray_voxel_but_not_a_common_one() -> None:
    ball = _ball(9, (20, 64, 64), (10, 20, 20))
    stray = ball.copy()
    stray[10, 60, 60] = True
    assert hd95(stray, ball) == 0.0
    crowd = ball.copy()
    crowd[5:15, 50:64, 50:64] = True
    distance = hd95(crowd, ball)
    assert distance is not None
    assert distance > 30


def test_directed_distances_are_from_each_surface_voxel() -> None:
    prediction, reference = np.zeros((1, 1, 6), np.bool_), np.zeros((1, 1, 6), np.bool_)
    reference[0, 0, 0] = True
    prediction[0, 0, 1:4] = True
    there, back = surface_distances(prediction, reference)
    assert there.tolist() == [1.0, 2.0, 3.0]
    assert back.tolist() == [1.0]


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.spatial", None)
    mask = np.ones((1, 2, 2), np.bool_)
    with pytest.raises(MissingExtraError, match=r"edgeseg\[build\]"):
        hd95(mask, mask)
    assert hd95(~mask, ~mask) == 0.0


def test_every_corner_pair_of_a_small_grid() -> None:
    corners = list(itertools.product((0, 2), (0, 4), (0, 3)))
    for a, b in itertools.combinations(corners, 2):
        one, other = np.zeros(SHAPE, np.bool_), np.zeros(SHAPE, np.bool_)
        one[a], other[b] = True, True
        assert hd95(one, other) == pytest.approx(math.dist(a, b))
