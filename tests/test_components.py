"""Connected components against SciPy's, and the rules of post-processing on masks drawn by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy import ndimage

from edgeseg.components import find_components, large_enough, post_process, post_process_logits
from edgeseg.errors import MaskError, OptionError
from edgeseg.imaging import mask_on_grid
from edgeseg.specs import Contract, PostProcessing, VariantSpec

BLOCK = np.ones((3, 3, 3), np.bool_)
SLICE = np.zeros((3, 3, 3), np.bool_)
SLICE[1] = True

Mask = NDArray[np.bool_]


def check_against_scipy(masks: Mask) -> None:
    for volume, structure in ((True, BLOCK), (False, SLICE)):
        labels, count = ndimage.label(masks, structure=structure)
        found = find_components(masks, volume=volume)
        assert np.array_equal(found.labels(), labels)
        assert np.array_equal(found.sizes, np.bincount(labels.ravel(), minlength=count + 1)[1:])
        everything = np.ones(count, np.bool_)
        assert np.array_equal(found.mask(everything), masks)


@settings(max_examples=200, deadline=None)
@given(arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, max_side=7), elements=st.booleans()))
def test_any_small_mask_has_the_components_that_scipy_finds(masks: Mask) -> None:
    check_against_scipy(masks)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.9])
def test_noise_has_the_components_that_scipy_finds(share: float) -> None:
    check_against_scipy(np.random.default_rng(1).random((9, 40, 56)) < share)


def test_windings_and_edges_have_the_components_that_scipy_finds() -> None:
    snake = np.zeros((4, 33, 40), np.bool_)
    snake[:, ::2] = True
    snake[:, 1::4, 0] = snake[:, 3::4, -1] = True
    wrapping = np.zeros((3, 5, 6), np.bool_)
    wrapping[:, :, [0, -1]] = True
    apart = np.zeros((4, 5, 6), np.bool_)
    apart[0, -1] = apart[2, 0] = apart[3, -1] = True
    comb = np.zeros((1, 40, 64), np.bool_)
    comb[0, :-1, ::2] = comb[0, -1] = True
    for masks in (snake, wrapping, apart, comb, np.ones((3, 4, 5), np.bool_), np.zeros((3, 4, 5), np.bool_)):
        check_against_scipy(masks)


@pytest.mark.parametrize("shape", [(0, 4, 4), (3, 0, 4), (3, 4, 0), (1, 1, 1)])
def test_masks_without_pixels_have_no_components(shape: tuple[int, int, int]) -> None:
    found = find_components(np.zeros(shape, np.bool_), volume=True)
    assert len(found.sizes) == 0
    assert found.labels().shape == shape
    assert found.slices().shape == (0, shape[0])
    assert post_process(np.zeros(shape, np.bool_), PostProcessing(min_share=1.0), volume=True).shape == shape


def test_overlap_and_slices_are_those_of_the_labels() -> None:
    rng = np.random.default_rng(3)
    masks, other = rng.random((6, 20, 24)) < 0.2, rng.random((6, 20, 24)) < 0.5
    found = find_components(masks, volume=True)
    labels = found.labels()
    ids = range(1, len(found.sizes) + 1)
    assert found.overlap(other).tolist() == [int((other & (labels == label)).sum()) for label in ids]
    assert found.slices().tolist() == [(labels == label).any(axis=(1, 2)).tolist() for label in ids]


@pytest.mark.parametrize("bad", [np.zeros((2, 2), np.uint8), np.zeros(4, np.bool_), np.zeros((1, 2, 2, 1), np.bool_)])
def test_what_is_no_mask_is_refused(bad: NDArray[np.generic]) -> None:
    with pytest.raises(MaskError, match="is not a mask"):
        find_components(bad, volume=False)  # type: ignore[arg-type]


def drawn() -> Mask:
    """A bar of 12 voxels through 3 slices, a diagonal pair in slice 0, one pixel in slice 2, far apart."""
    masks = np.zeros((3, 9, 12), np.bool_)
    masks[:, 0:2, 0:2] = True
    masks[0, 5, 5] = masks[0, 6, 6] = True
    masks[2, 8, 11] = True
    return masks


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        (PostProcessing(), [12, 2, 1]),
        (PostProcessing(min_area_px=99), [12, 2, 1]),
        (PostProcessing(min_volume_px=2), [12, 2]),
        (PostProcessing(min_volume_px=3), [12]),
        (PostProcessing(min_volume_px=13), []),
        (PostProcessing(min_share=2 / 12), [12, 2]),
        (PostProcessing(min_share=0.17), [12]),
        (PostProcessing(min_share=1.0), [12]),
        (PostProcessing(min_volume_px=2, min_share=0.01), [12, 2]),
    ],
)
def test_volumes_lose_what_is_too_small(spec: PostProcessing, kept: list[int]) -> None:
    masks = post_process(drawn(), spec, volume=True)
    assert not (masks & ~drawn()).any()
    assert sorted(find_components(masks, volume=True).sizes.tolist(), reverse=True) == kept


def test_lone_slices_go_by_their_own_area_alone() -> None:
    spec = PostProcessing(min_area_px=3, min_volume_px=99, min_share=1.0)
    masks = post_process(drawn(), spec, volume=False)
    assert find_components(masks, volume=False).sizes.tolist() == [4, 4, 4]
    assert np.array_equal(post_process(drawn()[0], spec, volume=False), masks[0])


def test_equally_large_components_all_stay_with_the_largest() -> None:
    masks = np.zeros((1, 5, 5), np.bool_)
    masks[0, 0, 0:2] = masks[0, 4, 3:5] = masks[0, 2, 2] = True
    kept = find_components(post_process(masks, PostProcessing(min_share=1.0), volume=True), volume=True)
    assert kept.sizes.tolist() == [2, 2]


@given(st.integers(1, 10**6), st.floats(0.0, 1.0))
def test_the_largest_component_always_keeps_its_share(largest: int, share: float) -> None:
    sizes = np.array([largest, 1], np.int64)
    assert large_enough(sizes, PostProcessing(min_share=share), volume=True)[0]


@pytest.fixture
def contract() -> Contract:
    return Contract(
        variant=VariantSpec(),
        tier="custom",
        target="onnx-fp32",
        layout="NCHW",
        trained_on="phantom",
        height=9,
        width=12,
        threshold=0.3,
    )


def test_dropped_logits_end_below_the_threshold_and_others_stay(contract: Contract) -> None:
    contract = replace(contract, post_processing=PostProcessing(min_volume_px=3))
    logits = np.where(drawn(), 2.0, -3.0).astype(np.float32)
    kept = post_process_logits(logits, contract, volume=True)
    wanted = post_process(drawn(), contract.post_processing, volume=True)
    assert np.array_equal(mask_on_grid(kept, contract, 9, 12), wanted)
    dropped = drawn() & ~wanted
    assert np.array_equal(kept[~dropped], logits[~dropped])
    assert set(kept[dropped].tolist()) == {float(np.float32(math.log(0.3 / 0.7) - 1))}
    assert post_process_logits(logits, contract, volume=False) is logits


@pytest.mark.parametrize("size", [(18, 24), (31, 17), (5, 6)])
def test_nothing_of_a_dropped_component_comes_back_on_another_grid(contract: Contract, size: tuple[int, int]) -> None:
    contract = replace(contract, post_processing=PostProcessing(min_volume_px=3))
    logits = np.where(drawn(), 9.0, -0.9).astype(np.float32)
    without = np.where(post_process(drawn(), contract.post_processing, volume=True), 9.0, -0.9).astype(np.float32)
    resampled = mask_on_grid(post_process_logits(logits, contract, volume=True), contract, *size)
    assert np.array_equal(resampled, mask_on_grid(without, contract, *size))
    assert resampled.any()


@pytest.mark.parametrize(
    "bad",
    [{"min_area_px": -1}, {"min_volume_px": -5}, {"min_share": -0.1}, {"min_share": 1.5}, {"min_share": math.nan}],
)
def test_sizes_and_shares_out_of_range_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=next(iter(bad))):
        PostProcessing(**bad)  # type: ignore[arg-type]


def test_what_is_dropped_is_said_in_words() -> None:
    spec = PostProcessing(min_area_px=40, min_volume_px=100, min_share=0.05)
    assert spec.describe(volume=True) == "components under 100 voxels or under 0.05 of the largest dropped"
    assert spec.describe(volume=False) == "components under 40 pixels dropped"
    assert PostProcessing(min_area_px=40).describe(volume=True) == "none"
