from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from edgeseg.components import post_process
from edgeseg.imaging import mask_from_logits
from edgeseg.metrics import count_lesions, count_overlap, count_tumour_free
from edgeseg.specs import Contract, OperatingPoint, PostProcessing, VariantSpec
from edgeseg.stages.choose.points import PatientPoints, PointTable, score_points, slice_points, volume_points

CONTRACT = Contract(
    variant=VariantSpec(), tier="custom", target="keras-fp32", layout="NHWC", trained_on="phantom", height=40, width=48
)


@pytest.mark.parametrize("volume", [True, False])
def test_every_point_scores_as_the_stages_would_score_it(volume: bool) -> None:
    rng = np.random.default_rng(0)
    logits = (4 * ndimage.gaussian_filter(rng.standard_normal((6, 40, 48)), (0.5, 2, 2)) / 0.1 - 5).astype(np.float32)
    reference = np.zeros((6, 40, 48), np.bool_)
    reference[1:4, 10:20, 12:30] = True
    reference[2, 30:34, 5:9] = True
    points = volume_points() if volume else slice_points()
    found = score_points(logits, reference, CONTRACT, points, volume=volume)
    assert found.tumour_free == 3
    assert len(set(found.dice.tolist())) > 20
    for place in range(0, len(points), 7 if volume else 1):
        point = points[place]
        raw = mask_from_logits(logits, replace(CONTRACT, threshold=point.threshold))
        masks = post_process(raw, point.post_processing, volume=volume)
        assert found.dice[place] == count_overlap(masks, reference).dice
        assert found.false_positive_slices[place] == count_tumour_free(masks, reference).false_positive
        assert found.lesions_found[place] == count_lesions(masks, reference).found
    assert found.lesions == 2
    assert len(set(found.lesions_found.tolist())) > 1


def test_the_plain_point_comes_first_and_none_comes_twice() -> None:
    points = volume_points()
    assert points[0] == OperatingPoint()
    assert points[1] == OperatingPoint(post_processing=PostProcessing(min_share=0.01))
    assert len(set(points)) == len(points)


def table(*rows: tuple[list[float], list[int]], tumour_free: int = 10, found: list[int] | None = None) -> PointTable:
    points = tuple(OperatingPoint(threshold=0.5 + 0.1 * k) for k in range(len(rows[0][0])))
    lesions = np.array(found or [1] * len(points), np.int64)
    return PointTable.of(
        points,
        [PatientPoints(np.array(dice), np.array(wrong, np.int64), lesions, tumour_free, 3) for dice, wrong in rows],
    )


def best(of: PointTable, *, rows: list[int] | None = None, allowed: list[bool] | None = None) -> tuple[int, bool]:
    everything = np.ones(len(of.points), np.bool_)
    return of.best(
        np.arange(len(of.dice)) if rows is None else np.array(rows),
        everything if allowed is None else np.array(allowed),
        max_fp_share=0.1,
    )


def test_the_best_dice_under_the_cap_wins() -> None:
    assert best(table(([0.7, 0.9, 0.8], [0, 2, 1]))) == (2, True)
    assert best(table(([0.7, 0.9, 0.8], [0, 1, 1]))) == (1, True)
    assert best(table(([0.7, 0.9, 0.8], [0, 1, 1])), allowed=[True, False, True]) == (2, True)


def test_only_the_patients_that_are_named_decide() -> None:
    both = table(([0.9, 0.1], [0, 0]), ([0.2, 0.3], [0, 0]))
    assert best(both) == (0, True)
    assert best(both, rows=[1]) == (1, True)


def test_equal_dice_goes_to_fewer_false_alarms_and_then_to_the_plainer_point() -> None:
    assert best(table(([0.8, 0.80001, 0.80002], [1, 0, 0]))) == (1, True)


def test_without_a_point_under_the_cap_the_fewest_false_alarms_win() -> None:
    assert best(table(([0.9, 0.7, 0.8], [5, 3, 3]))) == (2, False)


def test_volumes_without_tumour_free_slices_keep_any_cap() -> None:
    assert best(table(([0.7, 0.9], [0, 0]), tumour_free=0)) == (1, True)


def test_a_little_dice_is_given_for_a_lesion_and_no_more() -> None:
    assert best(table(([0.800, 0.799, 0.790], [0, 0, 0]), found=[1, 2, 3])) == (1, True)
    assert best(table(([0.800, 0.799], [0, 2]), found=[1, 2])) == (0, True)
