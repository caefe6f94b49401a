"""Slices one after another give the masks that the whole stack of logits gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseg.components import RunStack, find_components, post_process_logits
from edgeseg.imaging import framed_size, mask_on_grid, to_network
from edgeseg.runtime import stream
from edgeseg.runtime.stream import stream_masks
from edgeseg.specs import Contract, PostProcessing, VariantSpec

BASE = Contract(
    variant=VariantSpec(), tier="t", target="onnx-fp32", layout="NHWC", trained_on="phantom", height=16, width=24
)


def infer(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    logits: NDArray[np.float32] = ((images[..., 1].astype(np.float32) - 150) / 10).astype(np.float32)
    return logits


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 1000),
    st.sampled_from([(16, 24), (20, 31), (8, 12)]),
    st.sampled_from([PostProcessing(min_volume_px=6), PostProcessing(min_share=0.5), PostProcessing()]),
    st.sampled_from([0, 1 << 20]),
)
def test_masks_are_those_of_the_whole_volume(
    seed: int, size: tuple[int, int], spec: PostProcessing, in_memory: int
) -> None:
    contract = replace(BASE, post_processing=spec)
    images = np.random.default_rng(seed).integers(0, 256, (5, *size, 3), dtype=np.uint8)
    images[2] = 0
    whole = post_process_logits(infer(to_network(images, contract)), contract, volume=True)
    wanted = mask_on_grid(whole, contract, *size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stream, "_IN_MEMORY_BYTES", in_memory or 1)
        given_masks = [done.mask for done in stream_masks(infer, contract, images, volume=True)]
    np.testing.assert_array_equal(np.stack(given_masks), wanted)


def test_runs_of_slices_are_the_components_of_the_volume() -> None:
    masks = np.random.default_rng(0).random((6, 16, 24)) < 0.25
    runs = RunStack(16, 24)
    for mask in masks:
        runs.add(mask)
    found, wanted = runs.components(), find_components(masks, volume=True)
    np.testing.assert_array_equal(found.labels(), wanted.labels())
    keep = np.arange(len(found.sizes)) % 2 == 0
    for index in range(6):
        np.testing.assert_array_equal(found.slice_mask(index, keep), wanted.mask(keep)[index])


def test_a_volume_without_slices_has_no_masks() -> None:
    contract = replace(BASE, post_processing=PostProcessing(min_share=0.5))
    assert list(stream_masks(infer, contract, [], volume=True)) == []


@pytest.mark.parametrize(
    ("shape", "pixel_mm", "wanted"),
    [
        ((16, 24), None, (16, 24)),
        ((99, 7), None, (99, 7)),
        ((32, 48), (1.0, 1.0), (32, 48)),
        ((40, 24), (1.0, 2.0), (40, 30)),
        ((10, 60), (1.0, 1.0), (40, 60)),
    ],
)
def test_padding_keeps_proportions(
    shape: tuple[int, int], pixel_mm: tuple[float, float] | None, wanted: tuple[int, int]
) -> None:
    assert framed_size(shape, BASE, pixel_mm) == wanted
